// Finds exports of src/ that nothing uses, with the compiler's own symbols. `npm run deadcode`.
// A test keeps nothing alive: what only unit, property, golden and contract tests use is dead code with tests. What its
// own module uses may be exported for them all the same, and a type may that a live signature names.
import { dirname, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

/** What the outside world reaches: the public API, and the function that bin/ calls. */
const ROOTS = ['src/index.ts', 'src/kafka-api.ts', 'src/cli.ts']
const NOT_USERS = ['test/unit/', 'test/property/', 'test/golden/', 'test/contract/']

/**
 * Names every dead export as `file:line name`, sorted. `configFile` is a tsconfig that includes src and all its users.
 * Throws when the configuration cannot be read.
 */
export function deadExports(configFile: string): string[] {
  const root = dirname(resolve(configFile))
  const { config, error } = ts.readConfigFile(configFile, path => ts.sys.readFile(path))
  if (error) throw new Error(ts.flattenDiagnosticMessageText(error.messageText, '\n'))
  const { fileNames, options } = ts.parseJsonConfigFileContent(config, ts.sys, root)
  const program = ts.createProgram(fileNames, options)
  const checker = program.getTypeChecker()
  const pathOf = (file: ts.SourceFile) => relative(root, file.fileName).split(sep).join('/')
  const files = program
    .getSourceFiles()
    .filter(file => !file.isDeclarationFile && !pathOf(file).includes('node_modules/'))
  const original = (symbol: ts.Symbol) =>
    symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol

  const users = new Map<ts.Symbol, Set<string>>()
  for (const file of files) {
    const path = pathOf(file)
    const visit = (node: ts.Node): void => {
      if (ts.isIdentifier(node)) {
        const symbol = meaning(node, checker)
        if (symbol && !isInside(node, original(symbol))) {
          const known = users.get(original(symbol))
          if (known) known.add(path)
          else users.set(original(symbol), new Set([path]))
        }
      }
      ts.forEachChild(node, visit)
    }
    visit(file)
  }

  const dead: string[] = []
  for (const file of files) {
    const path = pathOf(file)
    const module = checker.getSymbolAtLocation(file)
    if (!path.startsWith('src/') || ROOTS.includes(path) || !module) continue
    for (const exported of checker.getExportsOfModule(module)) {
      const symbol = original(exported)
      const isType = (symbol.flags & (ts.SymbolFlags.Interface | ts.SymbolFlags.TypeAlias)) !== 0
      const all = [...(users.get(symbol) ?? [])]
      const atHome = all.includes(path)
      const outside = all.filter(user => user !== path)
      const used = outside.some(user => !isTest(user)) || (atHome && (isType || outside.length > 0))
      const at = exported.declarations?.[0]
      if (used || !at) continue
      const { line } = file.getLineAndCharacterOfPosition(at.getStart())
      dead.push(`${path}:${String(line + 1)} ${exported.name}`)
    }
  }
  return dead.sort()
}

function isTest(path: string): boolean {
  return NOT_USERS.some(folder => path.startsWith(folder))
}

/** A function that calls itself is not used by that. */
function isInside(node: ts.Node, symbol: ts.Symbol): boolean {
  return (symbol.declarations ?? []).some(
    declaration =>
      declaration.getSourceFile() === node.getSourceFile() &&
      declaration.pos <= node.pos &&
      node.end <= declaration.end,
  )
}

/** What a name refers to; undefined for a name that is being declared, which is no use of it. */
function meaning(node: ts.Identifier, checker: ts.TypeChecker): ts.Symbol | undefined {
  const parent = node.parent as ts.Node & { name?: ts.Node }
  if (ts.isShorthandPropertyAssignment(parent)) return checker.getShorthandAssignmentValueSymbol(parent)
  // `const { main } = await import('./cli.ts')` uses the export of that name.
  if (ts.isBindingElement(parent) && node === (parent.propertyName ?? parent.name)) {
    return checker.getTypeAtLocation(parent.parent).getProperty(node.text)
  }
  const refers = ts.isImportSpecifier(parent) || ts.isExportSpecifier(parent) || ts.isPropertyAccessExpression(parent)
  return parent.name === node && !refers ? undefined : checker.getSymbolAtLocation(node)
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const dead = deadExports(resolve(import.meta.dirname, '..', 'tsconfig.json'))
  for (const line of dead) console.log(`unused export: ${line}`)
  process.exitCode = dead.length > 0 ? 1 : 0
}

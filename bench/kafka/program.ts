// The command line that the benches run: compiled and laid out as an installed package, which is what users get. A checkout
// strips types at every start and keeps the stripper in memory (some 60 MiB).
import { installBuilt } from '../../test/chaos/installation.ts'

const installation = await installBuilt()
process.once('exit', () => installation.remove())

/** Path of the executable. */
export const { program } = installation

// The style sheet of the report: light and dark from one set of colours, told apart by people who see colours differently.
// Fixed text; its hash is in the page's Content-Security-Policy, so no value from the data may ever be part of it.
// Severities differ in form and in lightness as well as in hue (Okabe and Ito's palette); text has a contrast of 4.5 or more.

/** The whole style sheet. */
export const style = `
:root {
  color-scheme: light dark;
  --page: light-dark(#f6f7f8, #10141a);
  --panel: light-dark(#ffffff, #181e26);
  --text: light-dark(#1b2129, #e7ebf0);
  --soft: light-dark(#55606e, #a3afbd);
  --rule: light-dark(#d8dde3, #313b48);
  --grid: light-dark(#e8ebef, #262f3a);
  --accent: light-dark(#005a9c, #7cc0ff);
  --line: light-dark(#005a9c, #6ab7f5);
  --fill: light-dark(#005a9c22, #6ab7f52b);
  --band: light-dark(#7a869433, #8f9cab40);
  --expected: light-dark(#55606e, #a3afbd);
  --limit: light-dark(#b33c00, #ff9d5c);
  --events: light-dark(#a9b4c0, #51606f);
  --denied: light-dark(#b33c00, #ff9d5c);
  --informational: light-dark(#5b6b7c, #9fb0c3);
  --low: light-dark(#00789c, #56b4e9);
  --medium: light-dark(#9a6b00, #f0c13d);
  --high: light-dark(#c04a00, #ff8f4d);
  --critical: light-dark(#a3005c, #f277b8);
  --note: light-dark(#fff6e0, #2c2614);
}
:root[data-theme="light"] { color-scheme: light; }
:root[data-theme="dark"] { color-scheme: dark; }
* { box-sizing: border-box; }
[hidden] { display: none !important; }
html { scroll-padding-top: 5.5rem; -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--page); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", "Helvetica Neue", Arial, sans-serif;
  overflow-wrap: break-word;
}
.skip { position: absolute; left: -999rem; }
.skip:focus { left: 1rem; top: 1rem; background: var(--panel); padding: .5rem 1rem; z-index: 2; }
.page { max-width: 1080px; margin: 0 auto; padding: 0 1.25rem 4rem; }
.top { display: flex; gap: 1rem; align-items: start; justify-content: space-between; padding: 2rem 0 .5rem; }
h1 { font-size: 1.65rem; line-height: 1.2; margin: 0 0 .35rem; letter-spacing: -.01em; }
h2 { font-size: 1.25rem; margin: 0 0 .75rem; letter-spacing: -.005em; }
h3 { font-size: 1.05rem; line-height: 1.35; margin: 0; }
.top p { margin: 0; color: var(--soft); }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1.1rem; list-style: none; margin: .75rem 0 1.5rem; padding: .6rem 0; border-block: 1px solid var(--rule); }
a { color: var(--accent); text-underline-offset: .15em; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 3px; }
section { background: var(--panel); border: 1px solid var(--rule); border-radius: 10px; padding: 1.25rem 1.35rem; margin: 0 0 1.25rem; }
code { font: .88em/1.4 ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace; overflow-wrap: anywhere; }
button, select, input {
  font: inherit; color: var(--text); background: var(--panel); border: 1px solid var(--soft);
  border-radius: 6px; padding: .3rem .6rem; max-width: 100%;
}
button { cursor: pointer; white-space: nowrap; }
button:hover { border-color: var(--accent); }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: .75rem; margin: 0 0 1.25rem; }
.figures > div { border: 1px solid var(--rule); border-radius: 8px; padding: .7rem .9rem; }
.figures dt { color: var(--soft); font-size: .87rem; }
.figures dd { margin: 0; }
.figures strong { display: block; font-size: 1.75rem; line-height: 1.25; font-weight: 600; font-variant-numeric: tabular-nums; }
.figures span, .note, .more { color: var(--soft); font-size: .9rem; }
.note, .more { margin: .5rem 0 0; }
.warning { background: var(--note); color: var(--text) !important; border-radius: 6px; padding: .5rem .75rem; margin-top: .6rem !important; }
.empty-state { color: var(--soft); margin: .25rem 0; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
caption { text-align: left; color: var(--soft); padding: .35rem 0; }
th, td { text-align: left; vertical-align: top; padding: .4rem .75rem .4rem 0; border-bottom: 1px solid var(--rule); overflow-wrap: anywhere; }
th { font-weight: 600; }
tbody th { font-weight: 500; min-width: 8rem; }
thead th { color: var(--soft); font-weight: 500; white-space: nowrap; overflow-wrap: normal; }
.number { text-align: right; font-variant-numeric: tabular-nums; padding-right: 1.25rem; white-space: nowrap; }
.alert-list tbody th { white-space: nowrap; font-variant-numeric: tabular-nums; }
.severity { display: inline-flex; align-items: baseline; gap: .35rem; white-space: nowrap; }
.severity svg { flex: none; align-self: center; }
.scroll + .scroll { margin-top: 1rem; }
#filters {
  position: sticky; top: 0; z-index: 1; display: flex; flex-wrap: wrap; gap: .5rem .9rem; align-items: end;
  background: var(--panel); border-bottom: 1px solid var(--rule); margin: 0 -1.35rem 1rem; padding: .6rem 1.35rem;
}
#filters label { color: var(--soft); font-size: .82rem; display: grid; gap: .1rem; }
#filters input, #filters select, #filters button { font-size: .9rem; padding: .25rem .5rem; height: 2.1rem; }
#filters input { width: 9.5rem; }
#filters select { max-width: 13rem; }
#filters output { margin-left: auto; font-variant-numeric: tabular-nums; }
.card { border-top: 1px solid var(--rule); padding: 1.35rem 0 .85rem; margin-top: 1.35rem; }
.card.is-suppressed .chart svg { opacity: .75; }
.card .who { color: var(--text); }
.card .who::after { content: "·"; color: var(--soft); margin: 0 .4rem; }
.meta { display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; margin: .2rem 0 0; color: var(--soft); font-size: .9rem; align-items: center; }
.tag { border: 1px solid var(--soft); border-radius: 999px; padding: 0 .6rem; font-weight: 500; color: var(--text); }
.explanation { margin: .6rem 0; max-width: 84ch; }
details { margin-top: .5rem; }
.more-about { display: flex; flex-wrap: wrap; gap: 0 1.75rem; }
.more-about > details { max-width: 100%; }
.more-about > details[open] { flex-basis: 100%; }
summary { cursor: pointer; color: var(--accent); width: fit-content; font-size: .92rem; }
.facts { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1.25rem; margin: .6rem 0; font-size: .92rem; }
.facts > div { display: contents; }
.facts dt { color: var(--soft); }
.facts dd { margin: 0; overflow-wrap: anywhere; }
.value { overflow-wrap: anywhere; }
.field { color: var(--soft); font-size: .92em; }
.runbook { white-space: pre-wrap; margin: .6rem 0; font-size: .92rem; max-width: 90ch; overflow-wrap: anywhere; }
.chart { margin: 1rem 0 .5rem; }
.chart + .chart { margin-top: 2rem; }
figcaption { font-weight: 600; margin-bottom: .35rem; }
.chart > .scroll > svg { display: block; width: 100%; min-width: 680px; height: auto; }
svg text { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", "Helvetica Neue", Arial, sans-serif; fill: var(--text); font-variant-numeric: tabular-nums; }
svg .tick { fill: var(--soft); }
svg .in-force { fill: var(--text); font-weight: 600; }
svg .empty { fill: var(--soft); }
svg .threshold-label { fill: var(--limit); font-weight: 600; paint-order: stroke; stroke: var(--panel); stroke-width: 4px; stroke-linejoin: round; }
.grid, .row { stroke: var(--grid); fill: none; }
.row { stroke: var(--rule); }
.line { stroke: var(--line); stroke-width: 2; fill: none; stroke-linejoin: round; }
.fill { fill: var(--fill); }
.band { fill: var(--band); }
.expected { stroke: var(--expected); stroke-width: 1.5; stroke-dasharray: 2 3; fill: none; }
.threshold { stroke: var(--limit); stroke-width: 2; stroke-dasharray: 7 4; fill: none; }
.events { fill: var(--events); }
.denied { fill: var(--denied); }
.seen { fill: var(--line); stroke: var(--panel); }
.column .alerts { fill: var(--events); }
.current .alerts { fill: var(--line); }
.suppressed { fill: none; stroke: var(--soft); stroke-dasharray: 3 2; }
.mark { cursor: pointer; }
.sign { fill: currentColor; stroke: var(--panel); stroke-width: 1; }
.sign.hollow { fill: var(--panel); stroke: currentColor; stroke-width: 1.75; }
.extent { stroke: currentColor; stroke-width: 3; opacity: .45; }
.informational { color: var(--informational); }
.low { color: var(--low); }
.medium { color: var(--medium); }
.high { color: var(--high); }
.critical { color: var(--critical); }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; list-style: none; margin: .4rem 0 0; padding: 0; color: var(--soft); font-size: .87rem; }
.legend li { display: inline-flex; align-items: center; gap: .4rem; }
.numbers { font-size: .9rem; }
.bar { display: block; }
footer { color: var(--soft); font-size: .9rem; }
@media (max-width: 640px) {
  .top { flex-direction: column; }
  .page { padding: 0 .6rem 2rem; }
  section { padding: 1rem .85rem; }
  #filters { position: static; margin: 0 -.85rem 1rem; padding: .6rem .85rem; }
  .figures { grid-template-columns: 1fr 1fr; }
  .scroll table { min-width: 42rem; }
  .facts { display: block; }
  .facts > div { display: block; margin-bottom: .5rem; }
}
@media print {
  .theme, #filters, nav { display: none; }
  section, .card { break-inside: avoid-page; }
}
`

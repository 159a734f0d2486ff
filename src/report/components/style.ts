// The style sheet of all reports: light and dark, wide and narrow, without outside fonts or pictures.

/** CSS of a report page. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --paper: #fbfaf7; --card: #ffffff; --ink: #1d1c1a; --soft: #6a675f; --line: #e3e0d8; --faint: #f1efe9;
  --kept: #0b7a66; --winner: #c2410c; --blue: #2f6fb3; --violet: #7c55b8; --grey: #99958b; --edge: #d3cfc4;
  --serif: Charter, 'Bitstream Charter', 'Iowan Old Style', Georgia, serif;
  --mono: ui-monospace, 'SF Mono', 'Cascadia Mono', 'DejaVu Sans Mono', Menlo, Consolas, monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #151412; --card: #1d1c19; --ink: #eceae3; --soft: #a19d92; --line: #34312b; --faint: #24221e;
    --kept: #46c3a6; --winner: #ff9a57; --blue: #72aee8; --violet: #b797ea; --grey: #817d73; --edge: #423f37;
  }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body { margin: 0; overflow-x: clip; background: var(--paper); color: var(--ink); font: 15px/1.55 system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif; }
main, .top { max-width: 1180px; margin: 0 auto; padding: 0 clamp(16px, 4vw, 40px); }
.top { display: flex; justify-content: space-between; gap: 16px; padding-top: 22px; color: var(--soft); font-size: 13px; }
.top nav { display: flex; flex-wrap: wrap; gap: 4px 16px; margin-right: auto; }
.skip { position: absolute; left: -999px; }
.skip:focus { left: 16px; top: 12px; z-index: 9; padding: 6px 14px; border-radius: 8px; background: var(--card); color: var(--ink); }
main:focus { outline: none; }
.top b { color: var(--ink); letter-spacing: .01em; }
h1 { font: 400 clamp(27px, 4.4vw, 44px)/1.16 var(--serif); letter-spacing: -.012em; margin: 26px 0 12px; max-width: 24em; overflow-wrap: anywhere; text-wrap: balance; }
h2 { font-size: 13px; font-weight: 600; letter-spacing: .08em; text-transform: uppercase; margin: 0 0 4px; }
h3 { font-size: 14px; font-weight: 600; margin: 0; }
p { margin: 0; max-width: 68ch; }
.lead { color: var(--soft); margin-bottom: 18px; }
section { margin: 52px 0 0; }
a { color: inherit; text-decoration-color: var(--soft); text-underline-offset: 3px; }
code, .number, td, .mono { font-family: var(--mono); font-variant-numeric: tabular-nums; font-size: .92em; }
.chips { display: flex; flex-wrap: wrap; gap: 6px; list-style: none; margin: 0; padding: 0; }
.chips li { padding: 2px 10px; border: 1px solid var(--line); border-radius: 99px; background: var(--card); font-size: 13px; color: var(--soft); }
.chips b { color: var(--ink); font-weight: 550; }
.notice { margin: 20px 0 0; padding: 10px 14px; border-left: 3px solid var(--winner); background: var(--faint); border-radius: 0 6px 6px 0; }
.warning { border: 2px solid var(--winner); border-left-width: 10px; font-weight: 600; }
.calm { border-left-color: var(--kept); color: var(--soft); }
.notice + .table, .warning + .table { margin-top: 18px; }
img { display: block; }
.pixels { image-rendering: pixelated; }

.hero { display: grid; grid-template-columns: minmax(0, 400px) minmax(0, 1fr); gap: clamp(24px, 4vw, 52px); align-items: start; margin-top: 30px; }
.hero figure, .arm figure { margin: 0; }
.hero figure > img { width: 100%; border-radius: 10px; box-shadow: 0 0 0 1px var(--line), 0 18px 40px -22px #0006; }
figcaption { color: var(--soft); font-size: 13px; margin-top: 10px; }
.first { display: flex; gap: 12px; align-items: center; margin-top: 14px; color: var(--soft); font-size: 13px; }
.first img { width: 56px; height: 56px; border-radius: 6px; box-shadow: 0 0 0 1px var(--line); }
.first b { display: block; color: var(--ink); font: 500 15px/1.4 var(--mono); }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(124px, 1fr)); gap: 18px 18px; margin: 0 0 22px; }
.figures div { border-top: 1px solid var(--line); padding-top: 9px; }
.figures dt { font-size: 12.5px; color: var(--soft); }
.figures dd { margin: 0; font: 500 23px/1.3 var(--mono); letter-spacing: -.04em; font-variant-numeric: tabular-nums; }
.figures .main dd { color: var(--winner); }
.figures small { display: block; font: 400 12.5px/1.4 system-ui, sans-serif; letter-spacing: 0; color: var(--soft); }

.chart { display: block; width: 100%; height: auto; overflow: visible; font: 13px system-ui, sans-serif; }
.chart.small { font-size: 15px; }
.chart text { fill: var(--soft); }
.chart .x { text-anchor: middle; } .chart .y, .chart .x-label, .chart .name { text-anchor: end; }
.chart .grid { stroke: var(--line); stroke-width: 1; }
.chart g path { fill: none; stroke: currentColor; stroke-width: 2.2; stroke-linejoin: round; }
.chart g.broken path { stroke-dasharray: 6 4; }
.chart g circle { fill: currentColor; }
.chart g .band { fill: currentColor; stroke: none; opacity: .16; }
.chart g .whiskers { stroke-width: 1.2; stroke-dasharray: none; }
.chart .name { fill: currentColor; font-weight: 600; paint-order: stroke; stroke: var(--paper); stroke-width: 4px; }
.tone-winner { color: var(--winner); } .tone-kept { color: var(--kept); } .tone-violet { color: var(--violet); } .tone-blue { color: var(--blue); }
.tone-pruned { color: var(--grey); } .tone-pruned circle { opacity: .55; } .tone-mean { color: var(--grey); } .tone-mean path { stroke-dasharray: 2 5; stroke-linecap: round; }
.key { display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 8px 0 0; padding: 0; list-style: none; font-size: 13px; color: var(--soft); }
.key i { display: inline-block; width: 10px; height: 10px; border-radius: 3px; margin-right: 7px; background: currentColor; }
.key .broken i { background: repeating-linear-gradient(90deg, currentColor 0 3px, transparent 3px 5px); }
.key span { color: var(--soft); }

.scroller { overflow-x: auto; margin: 0 calc(50% - 50vw); padding: 0 max(16px, calc(50vw - 550px)) 12px; scrollbar-width: thin; }
.canvas { position: relative; margin: 0 auto; }
.canvas svg { position: absolute; inset: 0; pointer-events: none; }
.canvas h3 { position: absolute; top: 0; width: 64px; margin: 0; text-align: center; font-size: 13px; line-height: 1.3; white-space: nowrap; }
.canvas h3 small { display: block; font: 400 12px var(--mono); color: var(--soft); }
.canvas ol, .wall { list-style: none; margin: 0; padding: 0; }
.canvas .node { position: absolute; }
.root { position: absolute; transform: translate(-50%, -50%); width: 13px; height: 13px; border-radius: 50%; background: var(--ink); }
.edges path { fill: none; stroke: var(--edge); stroke-width: 1.1; }
.edges .kept { stroke: var(--kept); stroke-width: 1.7; opacity: .75; }
.edges .lineage { stroke: var(--winner); stroke-width: 2.6; opacity: 1; }
.edges .lit { stroke: var(--ink); stroke-width: 2.4; opacity: 1; }
.node button { display: block; width: 64px; padding: 0; border: 0; background: none; color: var(--soft); font: 12px/18px var(--mono); text-align: center; white-space: nowrap; cursor: zoom-in; border-radius: 8px; }
.node img { width: 64px; height: 64px; object-fit: contain; border-radius: 8px; background: var(--faint); transition: transform .16s ease-out; }
.node small { display: block; font-size: 11px; line-height: 14px; font-weight: 400; color: var(--soft); }
.node.kept small { color: var(--kept); } .node.lineage small { color: var(--winner); }
.dense .node button, .dense .node img { width: 44px; } .dense .node img { height: 44px; } .dense .node button { font-size: 11px; line-height: 15px; } .dense .node button > span { display: block; padding-top: 4px; } .dense .node small { font-size: 10px; line-height: 12px; margin: 0 -12px; }
.node.kept button { color: var(--ink); font-weight: 600; }
.node.kept img { outline: 2px solid var(--kept); outline-offset: 2px; }
.node.lineage img { outline: 3px solid var(--winner); }
.node.winner button { color: var(--winner); }
.node.inherited img { outline-style: dashed; }
.node.inherited:not(.kept) img { outline: 1.5px dashed var(--grey); outline-offset: 2px; }
.node:hover, .node:focus-within { z-index: 3; }
.node:hover img, .node button:focus-visible img { transform: scale(1.75); box-shadow: 0 8px 26px -8px #0009; }
button:focus-visible, a:focus-visible, summary:focus-visible, [tabindex]:focus-visible { outline: 2px solid var(--blue); outline-offset: 3px; }
.choices { display: flex; flex-wrap: wrap; gap: 6px; margin: 14px 0 18px; }
.choices button, .command button { font: inherit; font-size: 13px; padding: 3px 12px; border: 1px solid var(--line); border-radius: 99px; background: var(--card); color: var(--soft); cursor: pointer; }
.choices button[aria-pressed=true] { border-color: var(--ink); color: var(--ink); font-weight: 550; }
.command { display: flex; gap: 10px; align-items: flex-start; margin: 0 0 22px; }
.command code { flex: 1; min-width: 0; overflow-x: auto; white-space: nowrap; padding: 8px 12px; border-radius: 8px; background: var(--faint); }
.command button { white-space: nowrap; }
.strip { overflow-x: auto; scrollbar-width: thin; padding: 4px 4px 10px; margin: 14px -4px 0; }
.film { display: flex; gap: 14px; list-style: none; margin: 0; padding: 0; }
.film li { flex: 0 1 160px; min-width: 84px; text-align: center; font: 12px var(--mono); color: var(--soft); }
.film img { width: 100%; height: auto; aspect-ratio: 1; object-fit: contain; border-radius: 8px; background: var(--faint); margin-bottom: 6px; }
.film li:last-child img { outline: 3px solid var(--winner); outline-offset: 1px; }
.outcome { margin: -6px 0 18px; }
.arm .outcome { margin: -12px 0 12px; font-size: 14px; }
.links { display: flex; flex-wrap: wrap; gap: 4px 16px; }
.wall { display: grid; grid-template-columns: repeat(auto-fill, 64px); gap: 12px 18px; }

dialog { border: 0; border-radius: 14px; padding: 22px; width: min(720px, calc(100vw - 32px)); background: var(--card); color: var(--ink); box-shadow: 0 30px 80px -20px #000a; }
dialog::backdrop { background: #0009; }
dialog form { position: absolute; top: 12px; right: 14px; }
dialog button { font: inherit; font-size: 13px; padding: 4px 12px; border: 1px solid var(--line); border-radius: 99px; background: var(--faint); color: inherit; cursor: pointer; }
dialog button:disabled { opacity: .4; cursor: default; }
.detail { display: grid; grid-template-columns: minmax(0, 1.15fr) minmax(0, 1fr); gap: 24px; }
.detail img { width: 100%; border-radius: 8px; }
.moves { display: flex; gap: 8px; margin-top: 16px; }
.facts { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 4px 18px; margin: 12px 0 0; font-size: 14px; }
.facts dt { color: var(--soft); } .facts dd { margin: 0; font-family: var(--mono); font-size: .92em; overflow-wrap: anywhere; }

.two { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 380px), 1fr)); gap: 28px clamp(28px, 5vw, 64px); }
.table { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
caption { text-align: left; color: var(--soft); font-size: 13px; padding-bottom: 8px; }
th { text-align: left; font-weight: 400; padding: 7px 16px 7px 0; }
td { text-align: right; padding: 7px 0 7px 16px; white-space: nowrap; }
thead th { font-weight: 600; } thead th:not(:first-child) { text-align: right; padding-right: 0; padding-left: 16px; }
tbody th { min-width: 150px; }
th.left, td.left, thead th.left:not(:first-child) { text-align: left; }
tbody td.left { font-family: inherit; white-space: normal; }
button.sort { padding: 0; border: 0; background: none; font: inherit; font-weight: inherit; color: inherit; cursor: pointer; text-decoration: underline dotted var(--soft); text-underline-offset: 4px; }
th[aria-sort=ascending] .sort::after { content: ' \\2191'; } th[aria-sort=descending] .sort::after { content: ' \\2193'; }
tbody tr { border-top: 1px solid var(--line); }
th small { display: block; color: var(--soft); font-size: 12.5px; max-width: 44ch; }
td .least { color: var(--kept); font-weight: 600; } td .most { color: var(--winner); font-weight: 600; }
.bar { display: flex; gap: 2px; height: 20px; border-radius: 5px; overflow: hidden; margin: 6px 0 12px; }
.bar i { background: currentColor; min-width: 1px; }
.rows { display: grid; grid-template-columns: max-content 1fr max-content; gap: 7px 14px; align-items: center; font-size: 14px; margin: 14px 0 0; }
.rows .track { height: 9px; background: var(--faint); border-radius: 3px; overflow: hidden; }
.rows .track i { display: block; height: 100%; background: currentColor; border-radius: 3px; }
.rows .number { text-align: right; }
details { margin-top: 16px; } summary { cursor: pointer; color: var(--soft); }
pre { overflow-x: auto; padding: 14px 16px; background: var(--faint); border-radius: 8px; font: 12.5px/1.55 var(--mono); }
.run { display: flex; align-items: center; gap: 14px; min-width: 200px; } .run img { border-radius: 6px; object-fit: contain; background: var(--faint); }
.arms { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 210px), 1fr)); gap: 26px; margin-top: 32px; }
.arm img { width: 100%; border-radius: 10px; box-shadow: 0 0 0 1px var(--line); }
.arm.best img { box-shadow: 0 0 0 3px var(--paper), 0 0 0 6px var(--winner); }
.arm h2 { margin: 14px 0 0; text-transform: none; letter-spacing: 0; font-size: 17px; }
.arm .score { font: 500 25px/1.3 var(--mono); letter-spacing: -.03em; } .arm .score small { font: 400 14px system-ui, sans-serif; letter-spacing: 0; color: var(--soft); } .arm.best .score { color: var(--winner); }
.foot { max-width: min(1100px, 100% - 2 * clamp(16px, 4vw, 40px)); margin: 64px auto 40px; padding-top: 16px; border-top: 1px solid var(--line); color: var(--soft); font-size: 13px; }
.panel { margin-top: 28px; min-width: 0; } .panel h3 { margin-bottom: 10px; } .panel h3::first-letter { text-transform: uppercase; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 300px), 1fr)); gap: 12px clamp(24px, 3vw, 40px); }
.note { margin-top: 10px; color: var(--soft); font-size: 13px; }
.answer { margin-top: 10px; }
.interval { display: block; width: 220px; height: 18px; } .interval circle { fill: currentColor; }
.interval .span { stroke: currentColor; stroke-width: 1.6; } .interval .zero { stroke: var(--edge); stroke-width: 1; }
@media (max-width: 720px) {
  .hero, .detail { grid-template-columns: minmax(0, 1fr); }
  section { margin-top: 40px; }
  .chart.wide { font-size: 20px; }
  .two { gap: 36px; }
  dialog { padding-top: 56px; }
}
@media (forced-colors: active) {
  .key i, .bar i, .track i, .chart, .edges, .interval { forced-color-adjust: none; }
  .chips li, .notice, .film img, .node img, .root { border: 1px solid CanvasText; }
  .root { background: CanvasText; }
  .choices button[aria-pressed=true] { outline: 2px solid Highlight; }
  .node.kept img { outline: 3px solid CanvasText; outline-offset: 0; } .node.lineage img { outline: 4px solid Highlight; }
  .node.inherited img { outline-style: dashed; }
  .arm.best img { outline: 4px solid Highlight; outline-offset: 2px; }
  .edges path, .chart .grid, .interval .zero { stroke: GrayText; }
  .edges .kept { stroke: CanvasText; } .edges .lineage { stroke: Highlight; stroke-width: 4; } .edges .lit { stroke: CanvasText; stroke-width: 4; }
  .chart text { fill: CanvasText; } .chart .name { fill: currentColor; stroke: Canvas; }
  .command code, pre, .track { border: 1px solid GrayText; }
  dialog { border: 2px solid CanvasText; }
  button:focus-visible, a:focus-visible, summary:focus-visible, [tabindex]:focus-visible { outline: 3px solid Highlight; }
}
@media print {
  :root {
    color-scheme: light;
    --paper: #fff; --card: #fff; --ink: #000; --soft: #444; --line: #ccc; --faint: #f4f4f4;
    --kept: #0b7a66; --winner: #b03a08; --blue: #2f6fb3; --violet: #7c55b8; --grey: #777; --edge: #bbb;
  }
  body { font-size: 12px; overflow-x: visible; }
  .skip, .choices, .command button, dialog, .canvas .edges, .root, .top nav, button.sort::after { display: none !important; }
  main, .top, .foot { max-width: none; padding-left: 0; padding-right: 0; }
  section { margin-top: 28px; } h2, h3 { break-after: avoid; }
  figure, tr, .node, .chart, .figures, .film li, .arm { break-inside: avoid; }
  .bar i, .track i, .key i, .chips li, .notice { print-color-adjust: exact; }
  .scroller, .strip, .table, pre, .command code { overflow: visible; margin-left: 0; margin-right: 0; padding-left: 0; padding-right: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
  .scroller, .strip, .table { white-space: normal; }
  .film { flex-wrap: wrap; }
  .canvas { width: auto !important; height: auto !important; }
  .canvas h3, .canvas .node { position: static; } .canvas h3 { width: auto !important; text-align: left; margin: 14px 0 6px; }
  .canvas ol { display: flex; flex-wrap: wrap; gap: 8px 14px; }
  .node[hidden] { display: list-item !important; }
}
@media (prefers-reduced-motion: reduce) { .node img { transition: none; } }
`;

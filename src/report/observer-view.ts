// What the observers of a search say, as HTML: a table of what every verifier says of the winner, and a clear warning of
// verifier hacking.

import { formatCount, formatDuration, formatGain, formatScore } from '../core/format.js';
import type { ObserverReport, ObserverRow } from '../run/observers.js';
import type { Html } from './html.js';
import { html } from './html.js';

const ROLES: Readonly<Record<ObserverRow['role'], string>> = {
  guiding: 'guided the search',
  'held-out': 'held out',
};

/** The finding of a report as a box; a warning where the search has hacked its verifiers. */
export function findingBox({ hacking, message }: ObserverReport, of = ''): Html {
  const text = `${of}${message}`;
  return hacking
    ? html`<p class="notice warning" role="alert">${text}</p>`
    : html`<p class="notice">${text}</p>`;
}

function rowView({ verifier, role, mean, deviation, first, winner, gain }: ObserverRow): Html {
  const tone = role === 'held-out' && gain !== null && gain < 0 ? 'most' : '';
  return html`<tr>
    <th scope="row">${verifier}<small>${ROLES[role]}</small></th>
    <td>${formatScore(mean)} ± ${deviation === null ? '?' : formatScore(deviation)}</td>
    <td>${formatScore(first)}</td>
    <td>${formatScore(winner)}</td>
    <td><span class="${tone}">${formatGain(gain)}</span></td>
  </tr>`;
}

/** The section of a report on those that did not guide the search; nothing where there is no report. */
export function observerSection(report: ObserverReport | null): Html | null {
  if (!report) return null;
  const { pictures, rows, ledger } = report;
  const caption = rows.some(({ role }) => role === 'held-out')
    ? html`<caption>
        Asking those held out took ${formatCount(ledger.imagesVerified)} scores and
        ${formatDuration(ledger.milliseconds.verifier)}, which are not in the ledger below.
      </caption>`
    : null;
  return html`<section aria-labelledby="observers-title">
    <h2 id="observers-title">Did the picture get better, or only its score?</h2>
    <p class="lead">
      The winner against the ${formatCount(pictures)} pictures of the first round, which are what one gets
      without a search. A gain counts standard deviations of that round. Verifiers are hacked when those that
      guided the search rise on average while those held out fall further than chance takes them.
    </p>
    ${findingBox(report)}
    <div class="table">
      <table>
        ${caption}
        <thead>
          <tr>
            <th scope="col">Verifier</th>
            <th scope="col">First round</th>
            <th scope="col">First picture</th>
            <th scope="col">Winner</th>
            <th scope="col">Gain</th>
          </tr>
        </thead>
        <tbody>
          ${rows.map(rowView)}
        </tbody>
      </table>
    </div>
  </section>`;
}

// The only script of a report: shows a candidate's details, and lights up the way back to the prompt.
// The page is complete without it. Plain ES2020, no markup is built from text.

/** JavaScript of a report page. */
export const SCRIPT = `
'use strict';
(() => {
  const nodes = [...document.querySelectorAll('.node')];
  const dialog = document.querySelector('dialog');
  if (!dialog || nodes.length === 0) return;
  const find = (id) => document.getElementById('n' + id);
  const [picture, facts] = [dialog.querySelector('img'), dialog.querySelector('dl')];
  const moves = Object.fromEntries([...dialog.querySelectorAll('[data-move]')].map((b) => [b.dataset.move, b]));
  const children = (node) => nodes.filter((each) => each.dataset.parent === node.dataset.id);
  // Who has no place yet comes last.
  const placeOf = (node) => Number(node.dataset.place ?? 1e9);
  const bestOf = (list) => list.sort((a, b) => placeOf(a) - placeOf(b))[0];
  let current = null;
  const target = (move) => {
    if (move === 'parent') return find(current.dataset.parent);
    if (move === 'child') return bestOf(children(current));
    return nodes[nodes.indexOf(current) + (move === 'next' ? 1 : -1)];
  };
  const show = (node) => {
    if (!node) return;
    current = node;
    const [image, list] = [node.querySelector('img'), node.querySelector('dl')];
    picture.src = image.src;
    picture.alt = image.alt;
    picture.className = image.className;
    facts.replaceChildren(...[...list.children].map((child) => child.cloneNode(true)));
    for (const [move, button] of Object.entries(moves)) button.disabled = !target(move);
    if (!dialog.open) dialog.showModal();
  };
  const light = (node, on) => {
    for (let each = node; each; each = find(each.dataset.parent)) {
      document.getElementById('e' + each.dataset.id)?.classList.toggle('lit', on);
    }
  };
  for (const node of nodes) {
    node.querySelector('button').addEventListener('click', () => show(node));
    for (const type of ['mouseenter', 'focusin']) node.addEventListener(type, () => light(node, true));
    for (const type of ['mouseleave', 'focusout']) node.addEventListener(type, () => light(node, false));
  }
  for (const [move, button] of Object.entries(moves)) button.addEventListener('click', () => show(target(move)));
  const keys = { ArrowLeft: 'parent', ArrowRight: 'child', ArrowUp: 'previous', ArrowDown: 'next' };
  dialog.addEventListener('keydown', (event) => {
    const move = keys[event.key];
    if (!move) return;
    event.preventDefault();
    show(target(move));
  });
  dialog.addEventListener('click', (event) => event.target === dialog && dialog.close());
  dialog.addEventListener('close', () => current?.querySelector('button').focus());
})();
`;

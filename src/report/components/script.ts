// The only script of a page: details of a candidate, the way back to the prompt, views of the tree, orders, and what the keyboard
// does there. The page is complete without it. Plain ES2020, no markup is built from text.

/** JavaScript of a page. */
export const SCRIPT = `
'use strict';
(() => {
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const press = (buttons, on) => buttons.forEach((b) => b.setAttribute('aria-pressed', String(b === on)));

  for (const button of all('[data-copy]')) {
    const text = button.parentElement.querySelector('code');
    button.hidden = false;
    button.addEventListener('click', async () => {
      try {
        await navigator.clipboard.writeText(text.textContent);
        button.textContent = 'Copied';
      } catch {
        getSelection().selectAllChildren(text);
        button.textContent = 'Selected: copy it by the keyboard';
      }
    });
  }

  for (const table of all('table')) {
    const heads = all('thead tr > *', table);
    heads.forEach((head, column) => head.querySelector('.sort')?.addEventListener('click', () => {
      const down = head.getAttribute('aria-sort') === 'ascending' ? -1 : 1;
      heads.forEach((each) => each.removeAttribute('aria-sort'));
      head.setAttribute('aria-sort', down === 1 ? 'ascending' : 'descending');
      const body = table.tBodies[0];
      const key = (row) => row.children[column].dataset.sort ?? '';
      const compare = (a, b) => (isNaN(a) || isNaN(b) ? String(a).localeCompare(String(b)) : a - b);
      body.append(...[...body.rows].sort((a, b) => down * compare(key(a), key(b))));
    }));
  }

  const nodes = all('.node');
  const dialog = document.querySelector('dialog');
  if (!dialog || nodes.length === 0) return;
  const find = (id) => document.getElementById('n' + id);
  const buttonOf = (node) => node.querySelector('button');
  const shown = () => all('.node').filter((each) => !each.hidden);
  const canvas = document.querySelector('.canvas');
  // Who has no place yet comes last.
  const placeOf = (node) => Number(node.dataset.place ?? 1e9);
  const bestOf = (list) => list.sort((a, b) => placeOf(a) - placeOf(b))[0];
  const target = (node, move) => {
    const list = shown();
    if (move === 'parent') return find(node.dataset.parent);
    if (move === 'child') return bestOf(list.filter((each) => each.dataset.parent === node.dataset.id));
    return list[list.indexOf(node) + (move === 'next' ? 1 : -1)];
  };
  const keys = { ArrowLeft: 'parent', ArrowRight: 'child', ArrowUp: 'previous', ArrowDown: 'next' };
  const wallKeys = { ArrowLeft: 'previous', ArrowRight: 'next', ArrowUp: 'previous', ArrowDown: 'next' };

  // One tab stop for all candidates; arrows lead from one to the next.
  let stop = null;
  const stopAt = (node) => {
    if (stop) buttonOf(stop).tabIndex = -1;
    stop = node;
    buttonOf(node).tabIndex = 0;
  };
  for (const node of nodes) buttonOf(node).tabIndex = -1;
  stopAt(document.querySelector('.node.winner') ?? nodes[0]);
  const steer = (event) => {
    const list = shown();
    const ends = { Home: list[0], End: list[list.length - 1] };
    const move = (canvas ? keys : wallKeys)[event.key];
    const to = move ? target(stop, move) : ends[event.key];
    if (!to || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    stopAt(to);
    buttonOf(to).focus();
  };

  const [picture, facts] = [dialog.querySelector('img'), dialog.querySelector('dl')];
  const moves = Object.fromEntries(all('[data-move]', dialog).map((b) => [b.dataset.move, b]));
  let current = null;
  const show = (node) => {
    if (!node) return;
    current = node;
    const [image, list] = [node.querySelector('img'), node.querySelector('dl')];
    picture.src = image.src;
    picture.alt = image.alt;
    picture.className = image.className;
    facts.replaceChildren(...[...list.children].map((child) => child.cloneNode(true)));
    for (const [move, button] of Object.entries(moves)) button.disabled = !target(node, move);
    if (!dialog.open) dialog.showModal();
  };
  const light = (node, on) => {
    for (let each = node; each; each = find(each.dataset.parent)) {
      document.getElementById('e' + each.dataset.id)?.classList.toggle('lit', on);
    }
  };
  for (const node of nodes) {
    const button = buttonOf(node);
    button.addEventListener('click', () => show(node));
    button.addEventListener('keydown', steer);
    button.addEventListener('focus', () => stopAt(node));
    for (const type of ['mouseenter', 'focusin']) node.addEventListener(type, () => light(node, true));
    for (const type of ['mouseleave', 'focusout']) node.addEventListener(type, () => light(node, false));
  }
  for (const [move, button] of Object.entries(moves)) button.addEventListener('click', () => show(target(current, move)));
  dialog.addEventListener('keydown', (event) => {
    const move = keys[event.key];
    if (!move) return;
    event.preventDefault();
    show(target(current, move));
  });
  dialog.addEventListener('click', (event) => event.target === dialog && dialog.close());
  dialog.addEventListener('close', () => {
    stopAt(current);
    buttonOf(current).focus();
  });

  const choices = all('.choices');
  for (const each of choices) each.hidden = false;

  const views = all('[data-view]');
  if (canvas && views.length > 0) {
    const root = canvas.querySelector('.root');
    const edges = all('.edges path');
    for (const node of nodes) node.dataset.all = parseInt(node.style.top, 10);
    for (const edge of edges) edge.dataset.all = edge.getAttribute('d');
    const see = (button) => {
      const view = button.dataset.view;
      press(views, button);
      canvas.style.height = canvas.dataset[view] + 'px';
      root.style.top = canvas.getAttribute('data-root-' + view) + 'px';
      for (const node of nodes) {
        node.hidden = node.dataset[view] === undefined;
        if (!node.hidden) node.style.top = node.dataset[view] + 'px';
      }
      for (const edge of edges) {
        const d = edge.dataset[view];
        edge.style.display = d === undefined ? 'none' : '';
        if (d !== undefined) edge.setAttribute('d', d);
      }
      if (stop.hidden) stopAt(document.querySelector('.node.winner') ?? shown()[0]);
    };
    for (const button of views) button.addEventListener('click', () => see(button));
    see(views.find((button) => button.getAttribute('aria-pressed') === 'true') ?? views[0]);
  }

  const orders = all('[data-order]');
  const wall = document.querySelector('.wall');
  for (const button of orders) {
    button.addEventListener('click', () => {
      press(orders, button);
      const key = button.dataset.order === 'place' ? placeOf : (node) => Number(node.dataset.id);
      wall.append(...nodes.slice().sort((a, b) => key(a) - key(b)));
    });
  }
})();
`;

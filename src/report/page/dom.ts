/** Elements whose words are always text: what tasks and programs have written can't become markup. */

type Child = Node | string | null;

/** @param attributes - `text` attributes only; none that holds code. */
export const element = <Name extends keyof HTMLElementTagNameMap>(
	name: Name,
	attributes: Readonly<Record<string, string>> = {},
	...children: readonly Child[]
): HTMLElementTagNameMap[Name] => {
	const node = document.createElement(name);
	for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
	node.append(...children.filter(child => child !== null));
	return node;
};

const SVG = 'http://www.w3.org/2000/svg';

export const svgElement = (
	name: string,
	attributes: Readonly<Record<string, string | number>>,
	...children: readonly Child[]
): SVGElement => {
	const node = document.createElementNS(SVG, name);
	for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, String(value));
	node.append(...children.filter(child => child !== null));
	return node;
};

/** A colour for an element whose style shows `--swatch`. Set by script, for the page allows no style attributes. */
export const withSwatch = <Node extends HTMLElement>(node: Node, colour: string): Node => {
	node.style.setProperty('--swatch', `var(--${colour})`);
	return node;
};

/** Words between backticks become code. */
export const withCode = (text: string): (Node | string)[] =>
	text.split('`').map((part, i) => (i % 2 === 1 ? element('code', {}, part) : part));

export const section = (id: string, title: string, ...children: readonly Child[]): HTMLElement =>
	element('section', {id, 'aria-labelledby': `${id}-title`}, element('h2', {id: `${id}-title`}, title), ...children);

export const facts = (pairs: readonly (readonly [term: string, value: string | Node])[]): HTMLElement =>
	element('dl', {class: 'facts'}, ...pairs.flatMap(([term, value]) => [element('dt', {}, term), element('dd', {}, value)]));

/** A part that may be wider than the screen is scrolled by itself, by keyboard, too. */
export const scrollable = (label: string, child: Node): HTMLElement =>
	element('div', {class: 'scroll', role: 'region', tabindex: '0', 'aria-label': label}, child);

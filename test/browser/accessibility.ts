/** What can be seen of a page’s accessibility by looking at its elements. Each function runs in the page, and lists what is wrong. */

/** Texts whose contrast with what is behind them is below WCAG AA. */
export const findLowContrast = (): string[] => {
	type Colour = readonly [red: number, green: number, blue: number, alpha: number];
	const parse = (text: string): Colour => {
		const [red = 0, green = 0, blue = 0, alpha = 1] = (text.match(/[\d.]+/g) ?? []).map(Number);
		return [red, green, blue, alpha];
	};
	const luminance = ([red, green, blue]: Colour): number => {
		const [r = 0, g = 0, b = 0] = [red, green, blue].map(value => {
			const part = value / 255;
			return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
		});
		return 0.2126 * r + 0.7152 * g + 0.0722 * b;
	};
	const groundOf = (node: Element | null): Colour => {
		for (let at = node; at !== null; at = at.parentElement) {
			const colour = parse(getComputedStyle(at).backgroundColor);
			if (colour[3] === 1) return colour;
		}
		return [255, 255, 255, 1];
	};
	const found: string[] = [];
	for (const node of document.querySelectorAll<HTMLElement>('body *')) {
		const text = [...node.childNodes].filter(child => child.nodeType === Node.TEXT_NODE).map(child => child.textContent?.trim() ?? '');
		if (text.join('') === '' || !node.checkVisibility() || ['SCRIPT', 'STYLE'].includes(node.tagName)) continue;
		const style = getComputedStyle(node);
		// Of drawings it is the fill that is seen.
		const colour = parse(node instanceof SVGElement ? style.fill : style.color);
		const [light = 0, dark = 0] = [luminance(colour), luminance(groundOf(node))].sort((a, b) => b - a);
		const ratio = (light + 0.05) / (dark + 0.05);
		const size = Number.parseFloat(style.fontSize);
		const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
		if (ratio < (isLarge ? 3 : 4.5)) found.push(`${node.tagName} ${text.join('').slice(0, 30)}: ${ratio.toFixed(2)}`);
	}
	return [...new Set(found)];
};

/** Headings that skip a level, elements that nobody has named, and whatever else a reader of screens would stumble over. */
export const findBadStructure = (): string[] => {
	const found: string[] = [];
	const all = <Name extends Element>(selector: string): Name[] => [...document.querySelectorAll<Name>(selector)];
	let level = 0;
	for (const heading of all('h1, h2, h3, h4, h5, h6')) {
		const next = Number(heading.tagName[1]);
		if (next > level + 1) found.push(`${heading.tagName} after H${level}: ${heading.textContent}`);
		if (heading.textContent === '') found.push(`an empty ${heading.tagName}`);
		level = next;
	}
	for (const [selector, count] of [
		...(['h1', 'main', 'header', 'footer', 'nav'] as const).map(name => [name, 1] as const),
		['html[lang="en"]', 1],
	] as const) {
		if (all(selector).length !== count) found.push(`${all(selector).length} of ${selector}`);
	}
	const ids = all('[id]').map(({id}) => id);
	for (const id of new Set(ids)) if (ids.filter(other => other === id).length > 1) found.push(`two of #${id}`);
	for (const node of all('[aria-labelledby], [aria-describedby], a[href^="#"], label[for]')) {
		for (const name of ['aria-labelledby', 'aria-describedby', 'href', 'for']) {
			const id = node.getAttribute(name)?.replace('#', '');
			if (id !== undefined && document.getElementById(id) === null) found.push(`${node.tagName} refers to #${id}, which is not there`);
		}
	}
	for (const node of all<HTMLInputElement>('input, select')) if (node.labels?.length === 0) found.push(`${node.tagName} without a label`);
	for (const node of all('button, a')) {
		if ((node.getAttribute('aria-label') ?? node.textContent ?? '').trim() === '') found.push(`${node.tagName} without a name`);
	}
	for (const node of all('[role="region"], [role="group"], [role="application"], svg[role="img"], section, nav')) {
		if (!node.hasAttribute('aria-label') && !node.hasAttribute('aria-labelledby')) found.push(`${node.tagName} without a label`);
	}
	for (const table of all<HTMLTableElement>('table')) {
		if (table.caption === null) found.push('a table without a caption');
		for (const head of table.querySelectorAll('th')) if (head.scope === '') found.push(`TH ${head.textContent} without a scope`);
	}
	return found;
};

/** Elements that Tab reaches and on which the focus is not to be seen. */
export const isFocusSeen = (): boolean => {
	const node = document.activeElement;
	if (node === null || node === document.body) return false;
	const {outlineStyle, outlineWidth} = getComputedStyle(node);
	return outlineStyle !== 'none' && Number.parseFloat(outlineWidth) >= 2;
};

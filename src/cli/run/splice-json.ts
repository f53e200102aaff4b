/** Changes one member of an object in the text of JSON, and leaves every other character as it is. */

/** The same object with this member last; another one of the same name is taken out. @param object - The text of a JSON object. */
export const setMember = (object: string, name: string, json: string): string => {
	const {members, end} = scanMembers(object);
	const kept = members.filter(member => member.name !== name).map(({from, to}) => object.slice(from, to).trim());
	// Mostly there is none of that name: then nothing but the last brace moves.
	const before = kept.length === members.length ? object.slice(0, end).trimEnd() : `{${kept.join(',')}`;
	return `${before}${kept.length === 0 ? '' : ','}${JSON.stringify(name)}:${json}}`;
};

type Member = {readonly name: string; readonly from: number; readonly to: number};

const SPECIAL = /["{}[\],]/g;

/** The members of an object that JSON.parse has taken: commas and braces outside of texts tell where they are. */
const scanMembers = (object: string): {readonly members: readonly Member[]; readonly end: number} => {
	const members: Member[] = [];
	let depth = 0;
	let from = 0;
	const add = (to: number): void => {
		const text = object.slice(from, to);
		if (text.trim() !== '') members.push({name: nameIn(text), from, to});
		from = to + 1;
	};
	for (let at = 0; ; at++) {
		SPECIAL.lastIndex = at;
		const match = SPECIAL.exec(object);
		if (match === null) return {members, end: object.length};
		at = match.index;
		switch (match[0]) {
			case '"':
				at = endOfText(object, at);
				break;
			case '{':
			case '[':
				if (depth++ === 0) from = at + 1;
				break;
			case ',':
				if (depth === 1) add(at);
				break;
			default:
				if (--depth > 0) break;
				add(at);
				return {members, end: at};
		}
	}
};

/** Where the text ends that begins here. */
const endOfText = (json: string, start: number): number => {
	let end = json.indexOf('"', start + 1);
	while (end !== -1 && isEscaped(json, end)) end = json.indexOf('"', end + 1);
	return end === -1 ? json.length : end;
};

const isEscaped = (json: string, at: number): boolean => {
	let backslashes = 0;
	while (json[at - 1 - backslashes] === '\\') backslashes++;
	return backslashes % 2 === 1;
};

const nameIn = (member: string): string => {
	const start = member.indexOf('"');
	return JSON.parse(member.slice(start, endOfText(member, start) + 1)) as string;
};

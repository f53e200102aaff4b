import {expect, test} from 'vitest';
import {createLiveBoard} from '../../src/live-lines.js';

/** A terminal of 20 lines, of which one can see what is on it. */
const createTerminal = () => {
	const rows: string[] = [''];
	let row = 0;
	let column = 0;
	const put = (character: string): void => {
		const text = rows[row] ?? '';
		rows[row] = text.slice(0, column).padEnd(column) + character + text.slice(column + 1);
		column++;
	};
	const control = (letter: string, number: number): void => {
		switch (letter) {
			case 'A':
				row = Math.max(0, row - number);
				break;
			case 'B':
				row += number;
				break;
			case 'G':
				column = number - 1;
				break;
			case 'K':
				rows[row] = number === 2 ? '' : (rows[row] ?? '').slice(0, column);
				break;
			case 'J':
				rows[row] = (rows[row] ?? '').slice(0, column);
				rows.length = row + 1;
				break;
			case 'h':
			case 'l':
				break;
			default:
				throw new Error(`The terminal does not know ${letter}.`);
		}
	};
	const write = (text: string): boolean => {
		for (let at = 0; at < text.length; at++) {
			const sequence = /^\u001b\[\??(\d*)([A-Za-z])/.exec(text.slice(at, at + 12));
			if (sequence !== null) {
				control(sequence[2] ?? '', sequence[1] === '' ? (sequence[2] === 'J' || sequence[2] === 'K' ? 0 : 1) : Number(sequence[1]));
				at += sequence[0].length - 1;
			} else if (text[at] === '\n') {
				row++;
				column = 0;
				rows[row] ??= '';
			} else put(text[at] ?? '');
		}
		return true;
	};
	return {
		stream: {write, isTTY: true, columns: 80, rows: 20},
		seen: () =>
			rows
				.map(text => text.trimEnd())
				.join('\n')
				.trimEnd(),
	};
};

test('lines of several maps stand below each other, and what is said above them', async () => {
	const terminal = createTerminal();
	const board = createLiveBoard(terminal.stream);
	await board.open();
	const [a, b] = [board.add(), board.add()];
	a.set('a 1');
	b.set('b 1');
	expect(terminal.seen()).toBe('a 1\nb 1');
	a.set('a 2');
	expect(terminal.seen()).toBe('a 2\nb 1');
	board.say('a word');
	expect(terminal.seen()).toBe('a word\na 2\nb 1');
	b.set('b 2');
	expect(terminal.seen()).toBe('a word\na 2\nb 2');
	a.end();
	expect(terminal.seen()).toBe('a word\na 2\nb 2');
	b.set('b 3');
	b.end();
	expect(terminal.seen()).toBe('a word\na 2\nb 3');
	board.say('the end', terminal.stream);
	expect(terminal.seen()).toBe('a word\na 2\nb 3\nthe end');
});

test('before anything can be drawn, lines are kept, and what is said is written', async () => {
	const terminal = createTerminal();
	const board = createLiveBoard(terminal.stream);
	const line = board.add();
	line.set('1');
	board.say('a word');
	expect(terminal.seen()).toBe('a word');
	await board.open();
	expect(terminal.seen()).toBe('a word\n1');
});

test('a line that ends before anything could be drawn is written once, and one without a text not at all', () => {
	const terminal = createTerminal();
	const board = createLiveBoard(terminal.stream);
	const [a, b] = [board.add(), board.add()];
	a.set('1');
	a.end();
	b.end();
	expect(terminal.seen()).toBe('1');
});

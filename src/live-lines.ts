/** The live lines of all maps of this process at the foot of the terminal, one below the other, and what is said above them. */

type Terminal = Pick<NodeJS.WriteStream, 'write' | 'isTTY'>;

export type LiveLine = {
	readonly set: (text: string) => void;
	/** Its last text stays where it is. */
	readonly end: () => void;
};

const lines = new Set<{text: string}>();

type LogUpdate = {(text: string): void; clear(): void};
let logUpdate: LogUpdate | undefined;

/** Loads what draws on a terminal, when there is one. */
export const openLiveLines = async (): Promise<void> => {
	const {createLogUpdate} = await import('log-update');
	logUpdate ??= createLogUpdate(process.stderr, {showCursor: true});
};

export const addLiveLine = (): LiveLine => {
	const line = {text: ''};
	lines.add(line);
	return {
		set: text => {
			line.text = text;
			draw();
		},
		end: () => {
			lines.delete(line);
			if (line.text !== '') sayBeside(line.text);
		},
	};
};

const draw = (): void => {
	const texts = [...lines].flatMap(({text}) => (text === '' ? [] : [text]));
	if (texts.length === 0) logUpdate?.clear();
	else logUpdate?.(texts.join('\n'));
};

/** One line on stderr, above the live ones. */
export const sayBeside = (text: string, stderr: Terminal = process.stderr): void => {
	if (logUpdate === undefined) {
		stderr.write(`${text}\n`);
		return;
	}
	logUpdate.clear();
	stderr.write(`${text}\n`);
	draw();
};

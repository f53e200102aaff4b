/** The live lines of all maps of this process at the foot of the terminal, one below the other, and what is said above them. */

export type LiveLine = {
	readonly set: (text: string) => void;
	/** Its last text stays where it is. */
	readonly end: () => void;
};

export type LiveBoard = {
	/** A line of its own, which comes to be when its text is first set. */
	readonly add: () => LiveLine;
	/** A line of text above all live ones; also of another stream, which may be the same terminal. */
	readonly say: (text: string, to?: Pick<NodeJS.WriteStream, 'write'>) => void;
	/** Loads what draws on a terminal. Until then nothing is drawn. */
	readonly open: () => Promise<void>;
};

export const createLiveBoard = (stream: Pick<NodeJS.WriteStream, 'write'>): LiveBoard => {
	const lines = new Set<{text: string}>();
	let drawing: Drawing | undefined;
	const draw = (): void => {
		const texts = [...lines].flatMap(({text}) => (text === '' ? [] : [text]));
		if (texts.length > 0) drawing?.(texts.join('\n'));
	};
	const say: LiveBoard['say'] = (text, to = stream) => {
		drawing?.clear();
		to.write(`${text}\n`);
		draw();
	};
	return {
		say,
		add: () => {
			const line = {text: ''};
			lines.add(line);
			return {
				set: text => {
					line.text = text;
					draw();
				},
				end: () => {
					lines.delete(line);
					if (line.text !== '') say(line.text);
				},
			};
		},
		open: async () => {
			const {createLogUpdate} = await import('log-update');
			// With a hidden cursor a process that is killed would leave the terminal without one.
			drawing ??= createLogUpdate(stream as NodeJS.WriteStream, {showCursor: true});
			draw();
		},
	};
};

type Drawing = {(text: string): void; clear(): void};

/** That of stderr. */
export const liveBoard: LiveBoard = createLiveBoard(process.stderr);

/** A line on stderr, above the live ones. */
export const sayBeside = (text: string): void => liveBoard.say(text);

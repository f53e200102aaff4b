/** The values of lines, as tasks. */
import type {JsonLine} from './json-lines.js';

/** @param onFaulty - Told of a line that is no JSON; what it throws ends the reading. */
export async function* tasksOf(
	lines: AsyncIterable<JsonLine>,
	onFaulty: (line: number, problem: string) => void | Promise<void>,
	onTask: (line: JsonLine) => void = () => undefined,
): AsyncGenerator<unknown> {
	for await (const line of lines) {
		if (line.kind === 'faulty') await onFaulty(line.line, line.problem);
		else {
			onTask(line);
			yield line.value;
		}
	}
}

/**
 * Reads the many `<job_list>` of a listing without an XML parser, which takes too long for thousands of them. Only what is beyond doubt is read here: an element
 * without elements within elements, entities, comments or anything else. All other text is left to the parser, with a small element in place of those that
 * were read: the text is well-formed with it when it was before, and only then.
 */

/** The texts in a `<job_list>`. */
export type ListedJob = Readonly<Record<string, string>>;

export type CutListing = {
	/** The text with `<job_list …><run>3</run></job_list>` in place of `runs[3]`. */
	readonly rest: string;
	/** Jobs with nothing between them. */
	readonly runs: readonly (readonly ListedJob[])[];
};

export const cutJobLists = (xml: string): CutListing => {
	const runs: ListedJob[][] = [];
	const rest: string[] = [];
	let end = 0;
	let isRunOpen = false;
	for (const match of xml.matchAll(PLAIN_JOB_LIST)) {
		const [text, attribute, fields] = match as unknown as [string, string, string];
		const job = readFields(fields);
		if (job === undefined) {
			isRunOpen = false;
			continue;
		}
		const between = xml.slice(end, match.index);
		if (!isRunOpen || !/^\s*$/.test(between)) {
			// With its quotes: within those of another one they would end that.
			rest.push(between, `<job_list${attribute}><run>${runs.length}</run></job_list>`);
			runs.push([]);
			isRunOpen = true;
		}
		runs.at(-1)?.push(job);
		end = match.index + text.length;
	}
	rest.push(xml.slice(end));
	return {rest: rest.join(''), runs};
};

/** Of what qstat(1) prints in it, every value is a text. */
const PLAIN_JOB_LIST = /<job_list((?: state="[a-z]*")?)>((?:\s*<([A-Za-z_]+)>[^<>&]*<\/\3>)*)\s*<\/job_list>/g;

const readFields = (text: string): ListedJob | undefined => {
	// Without a prototype: an element may be called `constructor`.
	const job: Record<string, string> = Object.create(null) as Record<string, string>;
	for (const match of text.matchAll(/<([A-Za-z_]+)>([^<]*)</g)) {
		const [, name, value] = match as unknown as [string, string, string];
		// Which of two counts is for the parser to say.
		if (name in job) return undefined;
		job[name] = value.trim();
	}
	return job;
};

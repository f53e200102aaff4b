// Grid Engine writes one moment in three ways, all in local time.

/** As in `qstat -xml`, and as kept in the state: `2026-11-21T02:14:57`. */
export const localTime = (date: Date = new Date()): string =>
	`${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}T${clock(date)}`;

/** As in `qstat -j` and `qacct`: `Sat Nov 21 02:14:57 2026`. */
export const longTime = (time: string): string => {
	const date = new Date(time);
	return `${date.toDateString().slice(0, 10)} ${clock(date)} ${date.getFullYear()}`;
};

/** As in error reasons and plain `qstat`: `11/21/2026 02:14:57`. */
export const slashedTime = (time: string): string => {
	const date = new Date(time);
	return `${pad(date.getMonth() + 1)}/${pad(date.getDate())}/${date.getFullYear()} ${clock(date)}`;
};

const clock = (date: Date): string => [date.getHours(), date.getMinutes(), date.getSeconds()].map(pad).join(':');

const pad = (value: number): string => String(value).padStart(2, '0');

/** Milliseconds for people: `12.3 s`, `4.5 minutes`, `6.0 hours`. */
export const formatDuration = (ms: number): string => {
	if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
	return ms < 3_600_000 ? `${(ms / 60_000).toFixed(1)} minutes` : `${(ms / 3_600_000).toFixed(1)} hours`;
};

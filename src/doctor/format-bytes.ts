/** Bytes for people, in powers of 1024: `724 MB`, `1.5 GB`. */
export const formatBytes = (bytes: number): string => {
	if (bytes < 2 ** 10) return `${bytes} bytes`;
	if (bytes < 2 ** 20) return `${Math.round(bytes / 2 ** 10)} kB`;
	if (bytes < 2 ** 30) return `${Math.round(bytes / 2 ** 20)} MB`;
	return bytes < 2 ** 40 ? `${(bytes / 2 ** 30).toFixed(1)} GB` : `${(bytes / 2 ** 40).toFixed(1)} TB`;
};

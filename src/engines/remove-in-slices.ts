/** The programs that remove queue-jobs take many ids; this many keep the argument list short. */
const REMOVE_SLICE = 100;

/**
 * @param call - Calls the program once. Resolves to why the scheduler has not heard of it; undefined when it has.
 * @throws Error with the first of these reasons, when all were tried.
 */
export const removeInSlices = async (
	ids: readonly string[],
	call: (slice: readonly string[]) => Promise<string | undefined>,
): Promise<void> => {
	let unheard: string | undefined;
	for (let i = 0; i < ids.length; i += REMOVE_SLICE) {
		const reason = await call(ids.slice(i, i + REMOVE_SLICE));
		unheard ??= reason;
	}
	if (unheard !== undefined) throw new Error(unheard);
};

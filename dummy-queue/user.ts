import {userInfo} from 'node:os';

/** The user who calls the program; in a container a number may have no name. */
export const callingUser = (): {name: string; home: string; shell: string; uid: number} => {
	const uid = process.getuid?.() ?? 0;
	try {
		const {username, homedir, shell} = userInfo();
		return {name: username, home: homedir, shell: shell ?? '/bin/sh', uid};
	} catch {
		return {name: process.env.USER ?? String(uid), home: process.env.HOME ?? '/', shell: '/bin/sh', uid};
	}
};

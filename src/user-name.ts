import {userInfo} from 'node:os';

/** Who this process belongs to. In a container its number may have no name: then the environment's word, or the number, must do. */
export const userName = (): string => {
	try {
		return userInfo().username;
	} catch {
		return process.env.USER ?? process.env.LOGNAME ?? String(process.getuid?.());
	}
};

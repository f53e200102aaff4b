import type {RemoteError} from './errors.js';
export const toRemoteError = (thrown: unknown): RemoteError =>
	thrown instanceof Error
		? {name: thrown.name, message: thrown.message, ...(thrown.stack ? {stack: thrown.stack} : {})}
		: {name: thrown === null ? 'null' : typeof thrown, message: String(thrown)};
export const fromRemoteError = (remote: RemoteError): Error =>
	Object.assign(new Error(remote.message), {name: remote.name, stack: remote.stack});

import type {JobResources} from './engines/engine.js';
import type {AttemptInfo, Resources} from './options.js';
export const toJobResources = (
	_option: Resources | ((info: AttemptInfo) => Resources) | undefined,
	_info: AttemptInfo,
): JobResources => ({});

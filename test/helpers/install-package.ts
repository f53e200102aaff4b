import {cpSync, existsSync, readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A copy of the package and of all it needs: the repository itself may be out of an ordinary user's reach. */
export const installPackage = (modules: string): void => {
	const copied = new Set<string>();
	const copy = (name: string, from: string): void => {
		if (copied.has(name)) return;
		copied.add(name);
		cpSync(from, join(modules, name), {
			recursive: true,
			dereference: true,
			filter: path => !path.slice(from.length).includes('node_modules'),
		});
		const {dependencies = {}} = JSON.parse(readFileSync(join(from, 'package.json'), 'utf8')) as {dependencies?: Record<string, string>};
		for (const dependency of Object.keys(dependencies)) copy(dependency, findPackage(dependency, from));
	};
	const target = join(modules, 'queue-map-reduce');
	cpSync(join(ROOT, 'dist'), join(target, 'dist'), {recursive: true});
	cpSync(join(ROOT, 'package.json'), join(target, 'package.json'));
	const {dependencies} = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {dependencies: Record<string, string>};
	for (const dependency of Object.keys(dependencies)) copy(dependency, findPackage(dependency, ROOT));
};

const findPackage = (name: string, from: string): string => {
	const places = createRequire(join(from, 'package.json')).resolve.paths(name) ?? [];
	return places.map(place => join(place, name)).find(existsSync) as string;
};

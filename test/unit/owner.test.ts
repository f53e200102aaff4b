import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {describe, expect, test} from 'vitest';
import {claimWorkDir, type Owner, type Processes, type ProcessIdentity} from '../../src/owner.js';
import type {Files} from '../../src/ports.js';
import {realProcesses} from '../../src/processes.js';
import {createSteppedClock} from '../helpers/stepped-clock.js';

/** A work_dir in memory, and processes of several machines that work in it. */
const makeWorld = () => {
	const clock = createSteppedClock();
	const texts = new Map<string, string>();
	const told: string[] = [];
	const dead = new Set<number>();
	let isBroken = false;
	const files = {
		list: async () => {
			if (isBroken) throw Object.assign(new Error('EIO: list'), {code: 'EIO', syscall: 'scandir'});
			return [...texts.keys()].map(path => path.slice('/w/'.length));
		},
		openSource: async (path: string) => {
			const bytes = Buffer.from(texts.get(path) ?? '');
			return {
				size: bytes.length,
				read: async (position: number, length: number) => bytes.subarray(position, position + length),
				close: async () => undefined,
			};
		},
		create: async (path: string, pieces: Iterable<readonly Buffer[]>) => {
			if (texts.has(path)) throw Object.assign(new Error('EEXIST'), {code: 'EEXIST'});
			texts.set(path, [...pieces].flat().map(String).join(''));
		},
		append: async (path: string, text: string) => void texts.set(path, (texts.get(path) ?? '') + text),
	} as unknown as Files;
	const processOn = (host: string, pid: number): Processes => {
		const self: ProcessIdentity = {host, bootId: `boot of ${host}`, pidNamespace: 'pid:[1]', pid, startTime: '7'};
		return {self: () => self, isAlive: other => (other.bootId === self.bootId ? !dead.has(other.pid) : undefined)};
	};
	let numTokens = 0;
	const random = {bytes: (length: number) => Buffer.alloc(length, ++numTokens)};
	const claim = (host: string, pid: number, signal?: AbortSignal): Promise<Owner> =>
		claimWorkDir('/w', {files, clock, random, tell: line => void told.push(line)}, processOn(host, pid), signal);
	return {
		clock,
		texts,
		told,
		claim,
		kill: (pid: number) => void dead.add(pid),
		breakFiles: () => {
			isBroken = true;
		},
	};
};

const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
	promise.then(
		() => 'none',
		(error: {code?: string}) => error.code,
	);

describe('a work_dir', () => {
	test('belongs to the first who claims it, who shows every 15 s that it lives', async () => {
		const {clock, texts, claim} = makeWorld();
		const owner = await claim('login1', 4711);
		expect([...texts.keys()]).toEqual(['/w/owner.1']);
		const record = texts.get('/w/owner.1') as string;
		expect(JSON.parse(record)).toMatchObject({host: 'login1', pid: 4711, startTime: '7', bootId: 'boot of login1'});
		await clock.advance(46_000);
		expect(texts.get('/w/owner.1')).toBe(`${record}...`);
		await owner.check();
		await owner.rest();
		await clock.advance(46_000);
		expect(texts.get('/w/owner.1')).toBe(`${record}...`);
	});

	test('of a living process is refused, by its host and number', async () => {
		const {claim} = makeWorld();
		await claim('login1', 4711);
		await expect(claim('login1', 4712)).rejects.toMatchObject({
			code: 'ERR_POOL_OWNED',
			message: expect.stringContaining('The process 4711 on login1'),
		});
	});

	test('of a dead process is taken over at once', async () => {
		const {claim, kill, told} = makeWorld();
		await claim('login1', 4711);
		kill(4711);
		expect((await claim('login1', 4712)).number).toBe(2);
		expect(told).toEqual([]);
	});

	test('that was let go is taken over at once, from anywhere', async () => {
		const {claim, texts} = makeWorld();
		await (await claim('login1', 4711)).release();
		expect((await claim('login2', 4711)).number).toBe(2);
		expect([...texts.keys()]).toEqual(['/w/owner.1', '/w/owner.2']);
	});

	test('of a process elsewhere that gives no sign of life for a minute is taken over then, and the user knows why it takes so long', async () => {
		const {clock, claim, told} = makeWorld();
		const first = await claim('login1', 4711);
		await first.rest();
		const second = claim('login2', 5);
		await clock.advance(59_000);
		expect(told).toEqual([expect.stringMatching(/The process 4711 on login1 .* waiting 60 s for a sign of life/)]);
		expect(await Promise.race([second, 'waits'])).toBe('waits');
		await clock.advance(6000);
		expect((await second).number).toBe(2);
		expect(told).toHaveLength(1);
	});

	test('of a process elsewhere that lives is refused as soon as that is seen', async () => {
		const {clock, claim} = makeWorld();
		await claim('login1', 4711);
		const second = codeOf(claim('login2', 5));
		await clock.advance(20_000);
		expect(await second).toBe('ERR_POOL_OWNED');
	});

	test('whose owner was killed while it wrote its file is taken over after a minute', async () => {
		const {clock, claim, texts} = makeWorld();
		texts.set('/w/owner.1', '{"host":"log');
		const second = claim('login1', 5);
		await clock.advance(66_000);
		expect((await second).number).toBe(2);
	});

	test('is given to one of those who claim it at the same moment', async () => {
		const {claim, kill, texts} = makeWorld();
		await claim('login1', 4711);
		kill(4711);
		const outcomes = await Promise.all([1, 2, 3, 4].map(pid => codeOf(claim('login1', pid))));
		expect(outcomes.sort()).toEqual(['ERR_POOL_OWNED', 'ERR_POOL_OWNED', 'ERR_POOL_OWNED', 'none']);
		expect([...texts.keys()]).toEqual(['/w/owner.1', '/w/owner.2']);
	});

	test('that is waited for can be given up', async () => {
		const {clock, claim} = makeWorld();
		await (await claim('login1', 4711)).rest();
		const controller = new AbortController();
		const second = claim('login2', 5, controller.signal);
		await clock.advance(10_000);
		controller.abort(new Error('enough'));
		await expect(second).rejects.toThrow('enough');
	});
});

describe('an owner that was taken over', () => {
	const takeOver = async () => {
		const world = makeWorld();
		const first = await world.claim('login1', 4711);
		world.kill(4711);
		await world.claim('login1', 4712);
		return {...world, first};
	};

	test('knows it before it does anything', async () => {
		const {first} = await takeOver();
		expect(first.deposed.aborted).toBe(false);
		await expect(first.check()).rejects.toMatchObject({
			code: 'ERR_POOL_OWNED',
			message: expect.stringContaining('The process 4712 on login1 has taken it over'),
		});
		expect(first.deposed.aborted).toBe(true);
		expect(await codeOf(first.check())).toBe('ERR_POOL_OWNED');
	});

	test('knows it by its next heartbeat, whatever else it waits for', async () => {
		const {clock, first} = await takeOver();
		await clock.advance(16_000);
		expect(first.deposed.reason).toMatchObject({code: 'ERR_POOL_OWNED'});
	});
});

test('an owner that can’t see who owns a work_dir says so, and is not deposed', async () => {
	const {claim, breakFiles} = makeWorld();
	const owner = await claim('login1', 4711);
	breakFiles();
	expect(await codeOf(owner.check())).toBe('EIO');
	expect(owner.deposed.aborted).toBe(false);
});

describe('of the processes of this machine', () => {
	test('this one lives', () => {
		expect(realProcesses.isAlive(realProcesses.self())).toBe(true);
	});

	test('one that has ended does not, nor one that has got its number since', async () => {
		const child = spawn('true', {stdio: 'ignore'});
		const pid = child.pid as number;
		await once(child, 'exit');
		expect(realProcesses.isAlive({...realProcesses.self(), pid})).toBe(false);
		expect(realProcesses.isAlive({...realProcesses.self(), startTime: '1'})).toBe(false);
	});

	test('nothing is known of another boot or container', () => {
		expect(realProcesses.isAlive({...realProcesses.self(), bootId: 'another'})).toBeUndefined();
		expect(realProcesses.isAlive({...realProcesses.self(), pidNamespace: 'pid:[1]'})).toBeUndefined();
	});
});

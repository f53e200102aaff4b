import {hostname} from 'node:os';
import {describe, expect, test} from 'vitest';
import {type HostSite, placeHosts, readHosts} from '../../src/cli/run/host-sets.js';
import type {PoolOptions} from '../../src/options.js';

const siteOf = (engine: string, options: PoolOptions = {}, nodes?: readonly string[]): HostSite => ({
	engine,
	options,
	listNodes: async () => nodes,
});

describe('B14: the key `host`', () => {
	test('is a name or a list of names, and equal sets are equal', () => {
		expect(readHosts({cmd: 'true'})).toEqual({kind: 'any'});
		expect(readHosts({host: null})).toEqual({kind: 'any'});
		expect(readHosts('no job')).toEqual({kind: 'any'});
		expect(readHosts({host: 'node1'})).toEqual({kind: 'these', names: ['node1']});
		expect(readHosts({host: ['node2', 'node1', 'node2']})).toEqual({kind: 'these', names: ['node1', 'node2']});
	});

	test.each([[[]], [['a', 7]], [['a|b']], [['']], [['-l']], [{a: 1}], [7], [['a\nb']]])('is refused as %j', host => {
		expect(readHosts({host})).toMatchObject({kind: 'faulty', problem: expect.stringContaining('`host`')});
	});
});

describe('B14, Y11: hosts are told', () => {
	test('to Grid Engine by `-l h=`, which refuses what no host could take, after what the user says', async () => {
		expect(await placeHosts(['a', 'b'], siteOf('grid-engine', {qsubArgs: ['-p', '-5']}))).toEqual({
			kind: 'options',
			options: {avoidHosts: false, qsubArgs: ['-p', '-5', '-l', 'h=a|b', '-w', 'e']},
		});
	});

	test('to Slurm by the node, or by all others', async () => {
		const nodes = ['a', 'b', 'c', 'd'];
		expect(await placeHosts(['b'], siteOf('slurm', {sbatchArgs: ['--qos=long']}, nodes))).toEqual({
			kind: 'options',
			options: {avoidHosts: false, sbatchArgs: ['--qos=long', '--nodelist=b']},
		});
		expect(await placeHosts(['a.example.org', 'C'], siteOf('slurm', {}, nodes))).toMatchObject({options: {sbatchArgs: ['--exclude=b,d']}});
		expect(await placeHosts(nodes, siteOf('slurm', {}, nodes))).toMatchObject({options: {sbatchArgs: []}});
		// Of several some are there.
		expect(await placeHosts(['d', 'nobody'], siteOf('slurm', {}, nodes))).toMatchObject({options: {sbatchArgs: ['--nodelist=d']}});
	});

	test('to Slurm without sinfo as far as it goes', async () => {
		expect(await placeHosts(['b'], siteOf('slurm'))).toMatchObject({options: {sbatchArgs: ['--nodelist=b']}});
		expect(await placeHosts(['a', 'b'], siteOf('slurm'))).toMatchObject({kind: 'nowhere', problem: expect.stringContaining('sinfo')});
	});

	test('and those that nobody is are nowhere, at once', async () => {
		const nodes = Array.from({length: 12}, (_, i) => `node${i}`);
		expect(await placeHosts(['nobody'], siteOf('slurm', {}, nodes))).toEqual({
			kind: 'nowhere',
			problem: `no node is called nobody: sinfo lists ${nodes.slice(0, 10).join(', ')} and 2 more`,
		});
		expect(await placeHosts(['nobody'], siteOf('local'))).toMatchObject({kind: 'nowhere'});
		expect(await placeHosts(['nobody', hostname()], siteOf('local'))).toEqual({kind: 'here'});
	});
});

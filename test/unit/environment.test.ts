import {spawn, spawnSync} from 'node:child_process';
import {chmodSync, copyFileSync, existsSync, readFileSync, unlinkSync, writeFileSync} from 'node:fs';
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {captureEnvironment} from '../../src/environment.js';
import {isExportable, isOwnedByJob, LEFT_BY_SUBMISSION, READ_AT_START, TIES_TO_A_PARENT} from '../../src/environment-names.js';
import {PoolError} from '../../src/errors.js';
import {LAUNCHER} from '../../src/layout.js';
import type {EnvironmentOption} from '../../src/options.js';
import {applyEnvironment} from '../../src/worker/apply-environment.js';
import {JOB_ENVIRONMENT, makeScratch, makeWorkDir, parseEnviron, readDump, runLauncher, SHELLS, toEnviron} from './launcher-runner.js';

const everyByte = Buffer.from(Array.from({length: 255}, (_, index) => index + 1));

/** Names and values as they were tried by hand, raw. */
const NASTY: Readonly<Record<string, Buffer>> = Object.fromEntries(
	Object.entries({
		A14_KEY1: 'a=b',
		A14_KEY2: "a'b=b",
		A14_KEY3: 'a"b=b',
		A14_KEY4: `a"b=b'c`,
		A14_NEWLINE: 'two\nlines\n\n',
		A14_BACKSLASH: 'a\\b\\\\c\\n',
		A14_DOLLAR: '$HOME ${HOME} $(id) $$',
		A14_BACKTICK: '`id`',
		A14_UTF8: 'grüß 😀 \u2028 \ufeff',
		A14_EMPTY: '',
		'BASH_FUNC_module%%': '() { eval "x"; }',
		TRAILING_BACKSLASH: 'C:\\',
		ONLY_QUOTES: `''"''"`,
		CR: 'a\r\nb\r',
		BLANKS: '  \t lead and trail \t ',
		GLOB: '* ? [a-z] ~ {a,b}',
		HASH: '# no comment',
		BANG: '!! !$ ^a^b',
		SEMICOLON: 'a; exit 3; & | < > ( )',
		HERE: '<<EOF\nEOF\n',
		PERCENT: '%s%n%%',
		ESCAPES: '\x1b[31m\x07\x7f',
		EVERY_BYTE: everyByte,
		INVALID_UTF8: Buffer.from([0xff, 0xfe, 0xc3, 0x28, 0xe2, 0x82]),
		BYTES_OF_DASH: Buffer.from([0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89]),
		QUOTE_AFTER_LEAD_BYTE: Buffer.from("\xe2'\x81'\xf0\x9f'", 'latin1'),
		LONG: 'x'.repeat(131_000),
		LONG_QUOTES: "'".repeat(100_000),
		__proto__x: 'p',
		_underscore: '1',
		lower: 'case',
		export: 'a word of the shell',
		if: 'another',
		ünïcödé: 'name',
		'A.B': 'dot',
		'A-B': 'dash',
		'1X': 'digit first',
		'sp ace': "blank 'and' quote\n",
		'new\nline': 'in name',
		$HOME: 'dollar in name',
		"'": 'quote as name',
		UID: '12345',
		EUID: '12345',
		GID: '12345',
		PPID: '1',
		SHELLOPTS: 'xtrace:noexec',
		BASHOPTS: 'extglob',
		BASH_VERSINFO: 'x',
		BASH_ENV: '/nonexistent/bash-env',
		BASH_XTRACEFD: '1',
		BASH_COMPAT: 'nonsense',
		ENV: '/nonexistent/env',
		IFS: 'abc/\n',
		PS1: '$(touch /tmp/qmr-ps1)',
		PS4: '$(touch /tmp/qmr-ps4)',
		OPTIND: 'x',
		RANDOM: 'none',
		SECONDS: '7',
		LINENO: 'x',
		EPOCHSECONDS: '1',
		FUNCNEST: '1',
		POSIXLY_CORRECT: 'yes',
		GLOBIGNORE: '*',
		EXECIGNORE: '*',
		CDPATH: '/usr',
		COLUMNS: 'wide',
		LINES: 'many',
		TMOUT: 'x',
		GROUPS: '0',
		DIRSTACK: '/',
		HISTSIZE: 'x',
		MAILCHECK: 'x',
		USERNAME: 'nobody',
		FPATH: '/nonexistent',
		LC_ALL: 'xx_YY.UTF-8',
		LANG: 'nonsense',
		LC_CTYPE: 'C',
		HOME: '/home/caller',
		PATH: '/caller/bin:/usr/bin',
		SHELL: '/bin/csh',
		USER: 'caller',
		TERM: 'dumb',
		TZ: 'Pacific/Kiritimati',
		MANPATH: ':',
		NODE_OPTIONS: '--max-old-space-size=300',
		NODE_PATH: '/nonexistent/node',
	}).map(([name, value]) => [name, Buffer.from(value)]),
);

const decode = (variables: Readonly<Record<string, Buffer>>): Record<string, string> =>
	Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, value.toString('utf8')]));

const capture = (variables: Readonly<Record<string, Buffer>>, option: EnvironmentOption = true) =>
	captureEnvironment(option, decode(variables), toEnviron(variables));

const codeOf = (run: () => unknown): string => {
	try {
		run();
	} catch (error) {
		if (error instanceof PoolError) return `${error.code}: ${error.message}`;
		throw error;
	}
	throw new Error('nothing was thrown');
};

describe.each(SHELLS.map(shell => ({name: shell.join(' '), shell})))('$name', ({shell}) => {
	test('Q10, W7, W8, A14: every nasty name and value arrives, byte for byte where a shell can carry it', () => {
		const workDir = makeWorkDir({captured: capture(NASTY)});
		expect(runLauncher(shell, workDir, ['13', '1'])).toMatchObject({status: 0, stdout: '', stderr: ''});
		expect(readFileSync(join(workDir, '000000013.1.e'), 'utf8')).toBe('');
		const dump = readDump(workDir);
		const initial = parseEnviron(dump.initial);
		for (const [name, value] of Object.entries(NASTY)) {
			if (isExportable(name)) expect({[name]: initial[name]}).toEqual({[name]: value.toString('latin1')});
		}
		const own = Object.fromEntries(Object.entries(dump.environment).filter(([name]) => !isOwnedByJob(name)));
		expect(own).toEqual(decode(NASTY));
		for (const trap of ['/tmp/qmr-ps1', '/tmp/qmr-ps4']) expect(existsSync(trap)).toBe(false);
	});

	test("W9, N21: the job's own variables stay as they are, and what only the site set is gone", () => {
		const caller = {
			TMPDIR: '/caller-tmp',
			JOB_ID: '1',
			HOSTNAME: 'login',
			SGE_TASK_ID: '5',
			SGE_ROOT: '/caller',
			PE_HOSTFILE: '/x',
			NODE_CHANNEL_FD: '3',
		};
		const workDir = makeWorkDir({captured: captureEnvironment(true, {...caller, MINE: 'yes'})});
		const environment = {
			...JOB_ENVIRONMENT,
			SITE_ONLY: 'x',
			LC_TIME: 'C',
			NODE_OPTIONS: '--nonsense',
			LD_LIBRARY_PATH: '/site/lib',
			'A.SITE': '1',
		};
		expect(runLauncher(shell, workDir, ['13', '1'], {environment})).toMatchObject({status: 0, stderr: ''});
		const kept = Object.entries(readDump(workDir).environment).filter(([name]) => !['PWD', 'OLDPWD', 'SHLVL', '_'].includes(name));
		const {JOB_ID, SGE_TASK_ID, SGE_NEWTHING, TMPDIR, HOSTNAME} = JOB_ENVIRONMENT;
		expect(Object.fromEntries(kept)).toEqual({JOB_ID, SGE_TASK_ID, SGE_NEWTHING, TMPDIR, HOSTNAME, MINE: 'yes'});
	});

	test('env: false leaves the job with what the site gives it', () => {
		const workDir = makeWorkDir({captured: captureEnvironment(false, {SECRET: 'x', SITE_ONLY: "caller's"})});
		expect(runLauncher(shell, workDir, ['13', '1'], {environment: {...JOB_ENVIRONMENT, TZ: 'UTC', NODE_CHANNEL_FD: '3'}}).status).toBe(0);
		const {environment} = readDump(workDir);
		expect(environment).toMatchObject({...JOB_ENVIRONMENT, TZ: 'UTC'});
		expect(environment).not.toHaveProperty('SECRET');
		expect(environment).not.toHaveProperty('NODE_CHANNEL_FD');
	});

	test('names and values of any kind arrive', () => {
		const workDir = makeWorkDir({worker: '', nodePath: '/bin/cat', nodeArguments: ['/proc/self/environ']});
		let attempt = 0;
		fc.assert(
			fc.property(fc.dictionary(nameArbitrary, valueArbitrary, {maxKeys: 30, noNullPrototype: true}), variables => {
				attempt++;
				const {script, record} = capture(variables);
				writeFileSync(join(workDir, 'environment.sh'), script);
				runLauncher(shell, workDir, ['13', String(attempt)]);
				const initial = parseEnviron(readFileSync(join(workDir, `000000013.${attempt}.o`), 'latin1'));
				for (const [name, value] of Object.entries(variables)) {
					if (isExportable(name) && !isOwnedByJob(name)) expect(initial[name]).toBe(value.toString('latin1'));
				}
				const environment = Object.fromEntries(
					Object.entries(initial).map(([name, value]) => [name, Buffer.from(value, 'latin1').toString('utf8')]),
				);
				applyEnvironment(record, environment);
				const own = (all: Record<string, string>): Record<string, string> =>
					Object.fromEntries(Object.entries(all).filter(([name]) => !isOwnedByJob(name)));
				expect(own(environment)).toEqual(own(decode(variables)));
			}),
			{numRuns: 25},
		);
	});
});

const nameArbitrary = fc
	.oneof(
		fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,12}$/),
		fc.string({unit: 'grapheme', minLength: 1, maxLength: 12}),
		fc.constantFrom(...Object.keys(NASTY)),
	)
	// What names cat's own libraries is not a matter of names; what is stripped has a test of its own.
	.filter(name => Buffer.from(name).toString() === name && !/[=\0]/.test(name) && !/^(?:LD_|MALLOC_|NODE_OPTIONS|__proto__$)/.test(name));

const valueArbitrary = fc.oneof(
	fc.uint8Array({min: 1, maxLength: 60}).map(bytes => Buffer.from(bytes)),
	fc
		.string({unit: fc.constantFrom("'", '"', '\\', '\n', '$', '`', ' ', '#', '!', 'a', '\x80', '\xff'), maxLength: 20})
		.map(text => Buffer.from(text, 'latin1')),
);

describe('what is taken', () => {
	const submitted = (option: EnvironmentOption, environment: Record<string, string | undefined>, raw?: Buffer): string[] =>
		(JSON.parse(captureEnvironment(option, environment, raw).record) as {submitted: string[]}).submitted;

	test('by names, only these, and nothing of a name that the caller lacks', () => {
		expect(submitted(['B', 'MISSING', 'B', 'toString'], {A: '1', B: '2'})).toEqual(['B']);
	});

	test('by an object, exactly these, and never what is the job’s own', () => {
		expect(submitted({X: '1', 'A.B': '2', TMPDIR: '/x', SLURM_JOB_ID: '1', NODE_UNIQUE_ID: '1'}, {Y: '3'})).toEqual(['X', 'A.B']);
	});

	test('a name that Node can list but not look up is passed over', () => {
		expect(submitted(true, {'\ufffd': undefined, A: '1'})).toEqual(['A']);
	});

	test('bytes of the start are taken while process.env still says the same, else its text', () => {
		const raw = toEnviron({SAME: Buffer.from([0xff]), CHANGED: Buffer.from([0xfe]), GONE: Buffer.from('x')});
		const {script} = captureEnvironment(true, {SAME: '\ufffd', CHANGED: 'new', ADDED: 'ü'}, raw);
		const text = script.toString('latin1');
		expect(text).toContain("export SAME='\xff'\n");
		expect(text).toContain("export CHANGED='new'\n");
		expect(text).toContain(`export ADDED='${Buffer.from('ü').toString('latin1')}'\n`);
		expect(text).not.toContain('GONE');
	});

	test('of a name that the process began with twice, the first is taken', () => {
		const raw = Buffer.from('broken\0A=\xff\0A=\xfe\0', 'latin1');
		expect(captureEnvironment(true, {A: '\ufffd'}, raw).script.includes(Buffer.from("A='\xff'", 'latin1'))).toBe(true);
	});

	test('a last variable without its NUL is read to its end', () => {
		expect(
			captureEnvironment(true, {A: '\ufffd'}, Buffer.from('A=\xff', 'latin1')).script.includes(Buffer.from("A='\xff'", 'latin1')),
		).toBe(true);
	});

	test('it works without /proc', () => {
		const script = captureEnvironment(true, {A: 'ü'}, Buffer.alloc(0)).script.toString();
		expect(script).toContain("export A='ü'\n");
	});

	test('by default it is the environment of this process', () => {
		process.env.QMR_TEST_VARIABLE = "it's";
		try {
			expect(captureEnvironment(true).script.toString('latin1')).toContain("export QMR_TEST_VARIABLE='it'\\''s'\n");
		} finally {
			delete process.env.QMR_TEST_VARIABLE;
		}
	});

	test('what is read at the start of a program is unset unless it is submitted, and is never the job’s own', () => {
		const lines = captureEnvironment(true, {NODE_OPTIONS: '--no-warnings'}).script.toString().split('\n');
		for (const name of [...READ_AT_START, ...TIES_TO_A_PARENT]) {
			expect(isOwnedByJob(name)).toBe(false);
			expect(lines.includes(`unset ${name}`)).toBe(name !== 'NODE_OPTIONS');
		}
		const added = captureEnvironment(['X'], {})
			.script.toString()
			.match(/^unset .*/gm);
		expect(added).toEqual([...TIES_TO_A_PARENT, ...LEFT_BY_SUBMISSION].map(name => `unset ${name}`));
	});
});

test.each([
	['--inspect-brk', ''],
	['--inspect', ''],
	['--inspect=0.0.0.0:9229 --no-warnings', '--no-warnings'],
	['--no-warnings --inspect-wait=1 --trace-warnings', '--no-warnings --trace-warnings'],
	['--inspect-port 9229 --no-warnings', '--no-warnings'],
	['--inspect_brk "--inspect-publish-uid" http --no-warnings', '--no-warnings'],
	['"--inspect-brk" --require "/a b/c \\" --inspect.js"', '--require "/a b/c \\" --inspect.js"'],
	['--debug-port=1', ''],
	['--require=/x/--inspect.js', '--require=/x/--inspect.js'],
	['  --import   tsx ', '  --import   tsx '],
	['', ''],
])('NODE_OPTIONS %j reaches the worker as %j', (given, expected) => {
	const {script} = captureEnvironment({NODE_OPTIONS: given});
	expect(script.toString()).toContain(`export NODE_OPTIONS='${expected}'\n`);
	if (given.includes('inspect-brk')) {
		expect(spawnSync(process.execPath, ['-e', '0'], {env: {NODE_OPTIONS: expected.replace(/--require.*/, '')}}).status).toBe(0);
	}
});

describe('what is refused', () => {
	test.each([
		['a name with =', ['A=B'], '"A=B"'],
		['an empty name', [''], '""'],
		['a name with NUL', {'A\0': '1'}, '"A\\u0000"'],
		['a name that is no string', [7], '7 (number)'],
		['a number as value', {A: 7}, 'Expected `env.A` to be a string, got 7 (number)'],
		['undefined as value', {A: undefined}, 'got undefined (undefined)'],
		['a value with NUL', {A: 'x\0'}, 'NUL character'],
		['a string', 'PATH', 'Expected `env` to be true, false, an array of names or an object'],
		['null', null, 'got null'],
		['a number', 1, 'got 1 (number)'],
	])('%s', (_, option, words) => {
		const message = codeOf(() => captureEnvironment(option as unknown as EnvironmentOption, {}));
		expect(message).toMatch(/^ERR_POOL_ENVIRONMENT: Expected /);
		expect(message).toContain(words);
	});

	test('a variable that no process can be started with, by name and size and with the way out; one byte less is taken', () => {
		const fits = 131_072 - 'BIG='.length - 1;
		const starts = (length: number): boolean => spawnSync('/bin/true', {env: {BIG: 'x'.repeat(length)}}).status === 0;
		expect([starts(fits), starts(fits + 1)]).toEqual([true, false]);
		captureEnvironment({BIG: 'x'.repeat(fits)});
		const message = codeOf(() => captureEnvironment({A: '1', BIG: 'x'.repeat(fits + 1)}));
		expect(message).toMatch(/^ERR_POOL_ENVIRONMENT: .*131072 bytes.* 131073 for BIG.*option `env`/);
		expect(codeOf(() => captureEnvironment({'A.B': 'ü'.repeat(70_000)}))).toMatch(/ 140005 for A\.B/);
	});

	test('an environment that is too large as a whole, with its largest variables; what is left out does not count', () => {
		const many = Object.fromEntries(Array.from({length: 17}, (_, index) => [`V${index}`, 'x'.repeat(120_000)]));
		expect(codeOf(() => captureEnvironment(true, {...many, V3: 'x'.repeat(130_000)}))).toMatch(
			/^ERR_POOL_ENVIRONMENT: .*at most 2000000 bytes, got 20\d{5}.* V3 \(130004\), .*option `env`/,
		);
		captureEnvironment(['V1', 'V2'], many);
		captureEnvironment(true, {A: '1', TMPDIR: 'x'.repeat(3_000_000)});
	});

	test('the largest environment that is taken does start node', () => {
		const many = Object.fromEntries(Array.from({length: 16}, (_, index) => [`V${index}`, 'x'.repeat(124_900)]));
		const workDir = makeWorkDir({captured: captureEnvironment(true, many)});
		expect(runLauncher(['sh'], workDir, ['13', '1']).status).toBe(0);
		expect(readDump(workDir).environment).toMatchObject(many);
		expect(codeOf(() => captureEnvironment(true, {...many, W: 'x'.repeat(2000)}))).toMatch(/^ERR_POOL_ENVIRONMENT/);
	});
});

const canBecomeNobody = process.getuid?.() === 0 && spawnSync('setpriv', ['--version']).status === 0;

test.skipIf(!canBecomeNobody)(
	'another user finds no value of the environment, though he reads all he can (needs root, to become nobody)',
	async () => {
		const secret = `s3cret-${process.pid}-${Date.now()}`;
		const scratch = makeScratch();
		const captured = captureEnvironment(true, {PLAIN: secret, 'A.B': secret});
		const workDir = makeWorkDir({workDir: join(scratch, 'work'), captured});
		const spool = join(scratch, 'spool');
		copyFileSync(join(workDir, LAUNCHER), spool);
		chmodSync(spool, 0o755);
		spawnSync('mkfifo', [join(workDir, 'started')]);
		const job = spawn('sh', [spool, '13', '1'], {env: JOB_ENVIRONMENT, stdio: 'ignore'});
		// The planted value shows that the search sees what is there to be seen.
		const planted = `planted-${process.pid}-${Date.now()}`;
		const other = spawn('/bin/sh', ['-c', 'read -r line; exit 0', planted], {stdio: ['pipe', 'ignore', 'ignore']});
		try {
			await readFile(join(workDir, 'started'));
			unlinkSync(join(workDir, 'started'));
			expect(readDump(workDir).environment).toMatchObject({PLAIN: secret, 'A.B': secret});
			// All that can be read is brought here and searched here: a search for a word has that word in its own arguments.
			const readAll = (become: readonly string[]): string =>
				spawnSync(
					become[0] ?? 'env',
					[...become.slice(1), 'sh', '-c', 'cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ "$0" "$1"/* 2>/dev/null', spool, workDir],
					{encoding: 'latin1', env: {PATH: '/usr/bin:/bin'}, maxBuffer: 1e9},
				).stdout;
			expect(readAll([]).includes(secret)).toBe(true);
			const seen = readAll(['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']);
			expect(seen.includes(planted)).toBe(true);
			expect(seen.includes('qmr_main')).toBe(true);
			expect(seen.includes(secret)).toBe(false);
		} finally {
			job.kill('SIGKILL');
			other.stdin?.end();
		}
	},
);

/** Every kind of fault that the simulated world knows. A run in which one of them never happened has not tested it. */

export const FAULT_KINDS = [
	// The queue.
	'submit-temporary',
	'submit-full',
	'submit-permanent',
	'submit-unanswered-queued',
	'submit-unanswered-late',
	'submit-unanswered-lost',
	'queue-full',
	'status-fails',
	'status-hangs',
	'status-leaves-out',
	'status-shared',
	'master-down',
	'master-restarted',
	'remove-fails',
	'remove-slow',
	'explain-late',
	'explain-nothing',
	// Queue-jobs.
	'error-state-heals',
	'error-state-stays',
	'error-state-permanent',
	'error-state-cleared',
	'job-held',
	'job-suspended',
	'job-waits-long',
	'job-killed',
	'job-vanished',
	'job-ends-without-result',
	'job-deleted-waiting',
	'job-deleted-running',
	'foreign-job',
	'start-failed',
	'black-hole',
	// Dynamic chunks.
	'job-killed-claiming',
	'claim-taken',
	'claim-unreadable',
	// Worker-nodes.
	'node-cut-computing',
	'node-cut-stalled',
	'node-crashed',
	'node-gone-for-ever',
	// Tasks.
	'task-throws',
	'task-kills-once',
	'task-kills-always',
	// Files.
	'names-stale',
	'contents-stale',
	'file-vanished',
	'read-flipped',
	'result-damaged',
	'part-damaged',
	'disk-full',
	'write-torn',
	'io-error',
	'unsynced-lost',
	// The process-node.
	'process-killed',
	'process-frozen',
	'process-host-crashed',
	'second-process',
	'cancelled',
	'detached',
	'stopped-on-error',
] as const;

export type FaultKind = (typeof FAULT_KINDS)[number];

export type FaultCounts = Record<FaultKind, number>;

export const noFaults = (): FaultCounts => Object.fromEntries(FAULT_KINDS.map(kind => [kind, 0])) as FaultCounts;

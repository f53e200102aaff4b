/** What a queue-job of Slurm waits for, in words for people. */

/** The word of Slurm, as `Resources` or `ReqNodeNotAvail,_UnavailableNodes:node1`, with what it means where it is known. */
export const describePendingReason = (reason: string): string => {
	const text = reason.replaceAll('_', ' ');
	const meaning = MEANINGS.find(([pattern]) => pattern.test(reason))?.[1];
	return meaning === undefined ? text : `${meaning} (${text})`;
};

/** Of squeue(1), "job reason codes". */
const MEANINGS: readonly (readonly [pattern: RegExp, meaning: string])[] = [
	[/^JobHeldUser/, 'it is held, and `scontrol release` releases it'],
	[/^JobHeldAdmin/, 'it is held by an administrator'],
	[/^DependencyNeverSatisfied/, 'what it depends on (--dependency) will never come true'],
	[/^Dependency/, 'it is held until other queue-jobs have ended (--dependency)'],
	[/^BeginTime/, 'its time to begin has not come'],
	[/^Resources/, 'there is no room for it now'],
	[/^Priority/, 'others are before it'],
	[/^JobArrayTaskLimit/, 'as many elements of its array run as may at a time'],
	[/^ReqNodeNotAvail/, 'the nodes that it could use are down, drained or reserved'],
	[/^(?:PartitionDown|PartitionInactive)/, 'its partition takes no queue-jobs now'],
	[/^PartitionNodeLimit/, 'it asks for more nodes than its partition has, or they are down'],
	[/^PartitionTimeLimit/, 'it asks for more time than its partition allows'],
	[/^(?:BadConstraints|NodeDown)/, 'no node that is up can take it'],
	[/^(?:QOS|Assoc)/, 'a limit of the user, the account or the quality of service'],
	[/^Reservation/, 'its reservation has not begun'],
	[/^Licenses/, 'it waits for licenses'],
];

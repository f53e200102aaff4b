/** Thrown by what can't be measured here: an option that is not there, a program that is not installed. */
export class Skip extends Error {}

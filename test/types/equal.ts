/** True only for two types that are the same, also where one would do for the other (`any`, `unknown`, optional properties). */
export type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Compiles when the type is `true`: `holds<Equal<typeof x, number[]>>()`. */
export const holds = <_Claim extends true>(): void => {};

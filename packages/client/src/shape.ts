/*
 * Looking into JSON that came from outside, without a dependency: a check says whether a value is what its type says, and
 * notes by path what isn't. Fields that it doesn't know stay, so that a newer service can add some.
 */

export type Check<T> = (value: unknown, path: string, wrong: string[]) => value is T;

export const anything: Check<unknown> = (_value): _value is unknown => true;

export const text: Check<string> = (value, path, wrong): value is string =>
  typeof value === "string" || note(`${path} is no text`, wrong);

export const number: Check<number> = (value, path, wrong): value is number =>
  typeof value === "number" || note(`${path} is no number`, wrong);

export const truth: Check<boolean> = (value, path, wrong): value is boolean =>
  typeof value === "boolean" || note(`${path} is neither true nor false`, wrong);

export function oneOf<T extends string>(...values: readonly T[]): Check<T> {
  return (value, path, wrong): value is T =>
    values.some((each) => each === value) || note(`${path} is none of ${values.join(", ")}`, wrong);
}

export function orNull<T>(check: Check<T>): Check<T | null> {
  return (value, path, wrong): value is T | null => value === null || check(value, path, wrong);
}

export function listOf<T>(check: Check<T>): Check<readonly T[]> {
  return (value, path, wrong): value is readonly T[] =>
    Array.isArray(value)
      ? value.every((each, index) => check(each, `${path}[${index}]`, wrong))
      : note(`${path} is no list`, wrong);
}

export function recordOf<T>(check: Check<T>): Check<Readonly<Record<string, T>>> {
  return (value, path, wrong): value is Readonly<Record<string, T>> =>
    isObject(value)
      ? Object.entries(value).every(([name, each]) => check(each, `${path}.${name}`, wrong))
      : note(`${path} is no object`, wrong);
}

export function objectOf<T extends object>(fields: { readonly [Name in keyof T]: Check<T[Name]> }): Check<T> {
  return (value, path, wrong): value is T => {
    if (!isObject(value)) return note(`${path} is no object`, wrong);
    for (const name in fields) {
      if (!fields[name](value[name], `${path}.${name}`, wrong)) return false;
    }
    return true;
  };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function note(mismatch: string, wrong: string[]): false {
  wrong.push(mismatch);
  return false;
}

/**
 * What may stand in a log line. A closed list: prompts, images, keys and signed URLs have no field to go to.
 * `error` gives its name, message and stack, so it is only for errors that we or AWS made.
 */
export type LogFields = {
  readonly requestId?: string;
  readonly messageId?: string;
  readonly jobId?: string;
  readonly deliveryId?: string;
  readonly lane?: string;
  readonly tenant?: string;
  readonly keyId?: string;
  readonly fence?: number;
  readonly ended?: string;
  readonly failureCode?: string;
  readonly upstreamStatus?: number;
  readonly finishReason?: string;
  readonly method?: string;
  readonly route?: string;
  readonly status?: number;
  readonly ms?: number;
  readonly looked?: number;
  readonly sent?: number;
  readonly promoted?: number;
  readonly expired?: number;
  readonly error?: unknown;
};

export type Log = {
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
};

/** JSON lines on stdout, where Lambda picks them up. */
export function jsonLog(functionName: string, write: (line: string) => void = writeLine): Log {
  const line =
    (level: string) =>
    (message: string, { error, ...fields }: LogFields = {}) => {
      const at = new Date().toISOString();
      write(JSON.stringify({ at, level, function: functionName, message, ...fields, ...describe(error) }));
    };
  return { info: line("info"), warn: line("warn"), error: line("error") };
}

function writeLine(line: string): void {
  process.stdout.write(`${line}\n`);
}

function describe(error: unknown): {
  error?: { name: string; message: string; stack?: string; cause?: unknown };
} {
  if (error === undefined) return {};
  if (!(error instanceof Error)) {
    return { error: { name: "Unknown", message: typeof error === "string" ? error : typeof error } };
  }
  const { name, message, stack, cause } = error;
  return {
    error: {
      name,
      message,
      ...(stack === undefined ? {} : { stack }),
      ...(cause === undefined ? {} : { cause: describe(cause).error }),
    },
  };
}

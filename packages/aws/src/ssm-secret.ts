import { GetParameterCommand, type SSMClient } from "@aws-sdk/client-ssm";

const keptMs = 300_000;

/** A SecureString by its name, read when first needed and again every five minutes, so that a rotation is noticed. */
export function ssmSecret(client: SSMClient, name: string, now: () => number): () => Promise<string> {
  let kept: { value: Promise<string>; until: number } | undefined;
  return () => {
    if (!kept || kept.until <= now()) {
      const value = read(client, name);
      kept = { value, until: now() + keptMs };
      value.catch(() => {
        kept = undefined; // a failed read isn't kept
      });
    }
    return kept.value;
  };
}

async function read(client: SSMClient, name: string): Promise<string> {
  const { Parameter } = await client.send(new GetParameterCommand({ Name: name, WithDecryption: true }));
  if (!Parameter?.Value) {
    throw new Error(`Cannot read the Gemini API key: SSM parameter "${name}" is empty; put the key there`);
  }
  return Parameter.Value;
}

import { GetParameterCommand, type SSMClient } from "@aws-sdk/client-ssm";

const keptMs = 300_000;

/** SecureStrings by name, each read when first needed and again every five minutes, so that a rotation is noticed. */
export function ssmSecrets(client: SSMClient, now: () => number): (name: string) => Promise<string> {
  const kept = new Map<string, { value: Promise<string>; until: number }>();
  return (name) => {
    const known = kept.get(name);
    if (known && known.until > now()) return known.value;
    const value = read(client, name);
    kept.set(name, { value, until: now() + keptMs });
    value.catch(() => kept.delete(name)); // a failed read isn't kept
    return value;
  };
}

async function read(client: SSMClient, name: string): Promise<string> {
  const { Parameter } = await client.send(new GetParameterCommand({ Name: name, WithDecryption: true }));
  if (!Parameter?.Value) {
    throw new Error(`Cannot read the Gemini API key: SSM parameter "${name}" is empty; put the key there`);
  }
  return Parameter.Value;
}

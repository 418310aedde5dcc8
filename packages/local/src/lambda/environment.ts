import type { Access } from "../aws/access.ts";
import type { OverriddenVariables } from "../overrides.ts";
import type { FunctionSpec } from "../template/functions.ts";

/**
 * The whole of a function's `process.env`: what the template sets, what Lambda adds, and the closed list of overrides.
 * Nothing of this process's own environment gets in, so no setting or credential of the user leaks into a function.
 */
export function functionEnvironment(
  spec: FunctionSpec,
  { region, credentials }: Access,
  {
    GOOGLE_GEMINI_BASE_URL: geminiUrl,
    ALLOW_LOOPBACK_WEBHOOKS: loopbackWebhooks,
    ...endpoints
  }: OverriddenVariables,
): Record<string, string> {
  const dealsWithWebhooks = spec.environment.DELIVERIES_QUEUE_URL !== undefined;
  const callsGemini = spec.environment.GEMINI_API_KEY_PARAMETERS !== undefined;
  return {
    ...spec.environment,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_EXECUTION_ENV: "AWS_Lambda_nodejs24.x",
    AWS_LAMBDA_FUNCTION_NAME: spec.physicalName,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(spec.memoryMb),
    AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
    AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand",
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${spec.physicalName}`,
    AWS_LAMBDA_LOG_STREAM_NAME: "local",
    // Neither the files in ~/.aws nor a metadata service may answer where the variables above do not.
    AWS_CONFIG_FILE: "/dev/null",
    AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
    AWS_EC2_METADATA_DISABLED: "true",
    ...endpoints,
    ...(dealsWithWebhooks && loopbackWebhooks !== undefined && { ALLOW_LOOPBACK_WEBHOOKS: loopbackWebhooks }),
    ...(callsGemini && geminiUrl !== undefined && { GOOGLE_GEMINI_BASE_URL: geminiUrl }),
  };
}

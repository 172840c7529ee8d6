// Sends what it is told through the AWS SDK for JavaScript: a call as JSON in each line of standard input, what came of it in
// each line of standard output. Payloads are text.
const { createInterface } = require("node:readline");
const clients = {
  "cognito-idp": require("@aws-sdk/client-cognito-identity-provider"),
  lambda: require("@aws-sdk/client-lambda"),
};

async function call({ service, endpoint, operation, input }) {
  const sdk = clients[service];
  const Client = sdk.CognitoIdentityProviderClient ?? sdk.LambdaClient;
  const client = new Client({ endpoint, maxAttempts: 1 });
  if (input.Payload !== undefined) input.Payload = Buffer.from(input.Payload);
  try {
    const output = await client.send(new sdk[`${operation}Command`](input));
    if (output.Payload) output.Payload = Buffer.from(output.Payload).toString();
    return { output: { ...output, RequestId: output.$metadata.requestId } };
  } catch (error) {
    return { code: error.name, message: error.message, typed: error.name in sdk && error instanceof sdk[error.name] };
  }
}

(async () => {
  for await (const line of createInterface({ input: process.stdin })) {
    console.log(JSON.stringify(await call(JSON.parse(line))));
  }
})();

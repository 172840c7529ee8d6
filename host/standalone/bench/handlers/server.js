// Decides sign-ups in JavaScript, as a team would write it: the rule of the policy deny-short-username.
// usage: node server.js PORT

const http = require('node:http')

const server = http.createServer((request, response) => {
  const chunks = []
  request.on('data', (chunk) => chunks.push(chunk))
  request.on('end', () => {
    const event = JSON.parse(Buffer.concat(chunks))
    const allowed = Array.from(event.userName ?? '').length >= 5
    console.log(JSON.stringify({ decision: allowed ? 'allow' : 'deny', pool: event.userPoolId }))
    if (allowed) {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(JSON.stringify(event))
    } else {
      const errorMessage = 'Cannot register users with username less than the minimum length of 5'
      response.writeHead(200, { 'content-type': 'application/json', 'x-amz-function-error': 'Unhandled' })
      response.end(JSON.stringify({ errorType: 'Function.PolicyDenied', errorMessage }))
    }
  })
})

server.listen(Number(process.argv[2]), '127.0.0.1')

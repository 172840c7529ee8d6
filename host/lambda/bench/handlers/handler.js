// Decides a sign-up in JavaScript: the rule of the policy deny-short-username.

exports.handler = async (event) => {
  if (Array.from(event.userName ?? '').length < 5) {
    throw new Error('Cannot register users with username less than the minimum length of 5')
  }
  return event
}

// The policy deny-short-username in JavaScript, by the same interfaces as the one in Rust.
import { get } from 'wasi:config/store@0.2.0-rc.1';

export const preSignUp = {
  decide(event) {
    const minimum = Number(get('minimum-length') ?? '5');
    // Array.from counts Unicode scalar values; `length` would count UTF-16 units.
    if (Array.from(event.header.userName ?? '').length < minimum) {
      throw { message: `Cannot register users with username less than the minimum length of ${minimum}`, reason: undefined };
    }
    return {};
  },
};

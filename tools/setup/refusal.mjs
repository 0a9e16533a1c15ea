// The one error of set-up that is meant for people: something about the machine that set-up cannot
// change by itself. Its message is printed as it is, without a stack; set-up then ends with 1.

/** Set-up cannot go on, and the message says what a person has to do. */
export class SetupRefusal extends Error {
  /** @override */
  name = "SetupRefusal";
}

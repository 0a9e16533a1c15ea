// Whether this machine can run Fairlead's lab at all. Given what the machine is; answers with the
// sentence to print, or undefined. It looks at nothing by itself and changes nothing.

/** The oldest Node that set-up itself runs on; programs and tests run on the pinned one. */
export const NODE_MAJOR_MIN = 20;

/** Architectures for which the pinned Node comes as a package. */
export const ARCHITECTURES = Object.freeze(["x64", "arm64"]);

/**
 * @typedef {object} Machine
 * @property {string} platform as process.platform
 * @property {string} arch as process.arch
 * @property {string} nodeVersion as process.versions.node
 */

/**
 * Says why this machine cannot be used, or undefined when it can.
 *
 * @param {Machine} machine
 * @returns {string | undefined}
 */
export function machineProblem(machine) {
  if (machine.platform !== "linux") {
    return (
      `this is ${machine.platform}, and Fairlead runs on Linux alone: it works with network ` +
      "namespaces, keepalived and nginx. Use a Debian machine or a virtual one."
    );
  }
  if (!ARCHITECTURES.includes(machine.arch)) {
    return `this is ${machine.arch}; the pinned Node exists for ${ARCHITECTURES.join(" and ")} alone.`;
  }
  const major = Number(machine.nodeVersion.split(".")[0]);
  if (!(major >= NODE_MAJOR_MIN)) {
    return (
      `this is Node ${machine.nodeVersion}, and set-up needs ${NODE_MAJOR_MIN} or newer. ` +
      "Install one (Debian: apt-get install nodejs npm from bookworm-backports or NodeSource)."
    );
  }
  return undefined;
}

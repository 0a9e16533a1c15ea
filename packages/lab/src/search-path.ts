// Where the lab's programs are looked for. A normal user's PATH often lacks the folders of system
// programs.

/** The caller's PATH with those folders behind it. */
export function searchPath(): string {
  return [process.env["PATH"] ?? "", "/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/bin"]
    .filter((part) => part !== "")
    .join(":");
}

// Days as fields of the type `date` give them, as REST takes times.

// When a day of the viewer's begins, so many days later: startOf("2026-12-31", 1) is the end of that year.
export function startOf(day, later) {
  const [year, month, date] = day.split("-").map(Number);
  return new Date(year, month - 1, date + later).toISOString();
}

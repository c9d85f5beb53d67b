// Choices of this browser that outlive a visit. A browser that keeps nothing starts with the defaults each time.

export const preferences = {
  read(name, fallback) {
    try {
      return JSON.parse(localStorage.getItem(`anomalyloop-${name}`)) ?? fallback;
    } catch {
      return fallback;
    }
  },
  write(name, value) {
    try {
      localStorage.setItem(`anomalyloop-${name}`, JSON.stringify(value));
    } catch {
      // Nothing of a person's work is lost with it.
    }
  },
};

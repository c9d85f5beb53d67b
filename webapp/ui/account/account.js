// Who is signed in, in the bar. The page shows what their role may do (account.css); the server sees to the rest.

import { pollWhileVisible } from "../shared/dom.js";
import { currentProject, getJson } from "../shared/net.js";
import { t } from "../shared/texts.js";
import { changePassword } from "./password.js";

export function mount(element) {
  const account = element.querySelector("[data-testid=account]");

  async function showAccount() {
    try {
      const me = await getJson(`/me?project=${encodeURIComponent(currentProject())}`);
      const { name, accounts, role: installation } = me;
      const role = me.project_role ?? installation;
      Object.assign(document.documentElement.dataset, { role, installation, accounts });
      account.hidden = !accounts;
      account.querySelector("[data-testid=account-name]").textContent = name;
      account.querySelector("[data-testid=account-name]").title = t("account.name.title", { name, role: t(`role.${role}`) });
    } catch (error) {
      // Signed out elsewhere, or for too long. What was painted and not saved is kept in the browser.
      if (error.status === 401) location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
    }
  }

  account.querySelector("[data-testid=account-name]").addEventListener("click", changePassword);
  window.addEventListener("focus", showAccount);
  pollWhileVisible(account, 20000, showAccount);
  showAccount();
}

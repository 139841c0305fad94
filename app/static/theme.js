// Runs before the first paint, so that the page never flashes in the other theme, and greets on the first page alone.
(() => {
  let choice = null;
  let language = null;
  try {
    choice = localStorage.getItem('dpu.theme');
    language = localStorage.getItem('dpu.language');
  } catch {
    // Storage may be blocked; the system's choice is fine then.
  }
  const dark = choice === 'dark' || (choice !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
  if (location.pathname === '/' && (language === null || language === 'en'))
    document.documentElement.dataset.hello = '';
})();

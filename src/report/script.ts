// The script of the report: theme and filters. The page says everything without it.
// Fixed text; its hash is in the page's Content-Security-Policy, so no value from the data may ever be part of it. It reads
// what filter-data.ts wrote and sets only text and attributes, never markup.

/** The whole script. */
export const script = `
'use strict';
(function () {
  var byId = function (id) { return document.getElementById(id); };
  var root = document.documentElement;

  var theme = byId('theme');
  var prefersDark = matchMedia('(prefers-color-scheme: dark)');
  var isDark = function () { return root.dataset.theme ? root.dataset.theme === 'dark' : prefersDark.matches; };
  var nameTheme = function () { theme.textContent = isDark() ? 'Light theme' : 'Dark theme'; };
  theme.hidden = false;
  theme.addEventListener('click', function () {
    root.dataset.theme = isDark() ? 'light' : 'dark';
    nameTheme();
  });
  prefersDark.addEventListener('change', nameTheme);
  nameTheme();

  var form = byId('filters');
  if (!form) return;
  var fields = ['rule', 'severity', 'principal', 'suppressed'].map(function (name) { return byId('filter-' + name); });
  var initial = fields.map(function (field) { return field.value; });
  var items = Array.from(document.querySelectorAll('[data-rule]'));
  var rows = document.querySelectorAll('.alert-list tbody tr');
  var apply = function () {
    var rule = fields[0].value;
    var severity = Number(fields[1].value);
    var who = fields[2].value.trim().toLowerCase();
    var suppressed = fields[3].value;
    items.forEach(function (item) {
      var data = item.dataset;
      var fits = (rule === '' || data.rule === rule) && Number(data.severity) >= severity &&
        data.principal.includes(who) && (suppressed === '' || data.suppressed === suppressed);
      if (fits) item.removeAttribute('hidden');
      else item.setAttribute('hidden', '');
    });
    var shown = Array.from(rows).filter(function (row) { return !row.hidden; }).length;
    byId('filter-count').textContent = shown.toLocaleString('en') + ' of ' + rows.length.toLocaleString('en') + ' alerts';
  };
  form.hidden = false;
  form.addEventListener('submit', function (event) { event.preventDefault(); });
  fields.forEach(function (field) { field.addEventListener('input', apply); });
  byId('filter-reset').addEventListener('click', function () {
    fields.forEach(function (field, i) { field.value = initial[i]; });
    apply();
    fields[0].focus();
  });
  // A browser that comes back to the page keeps what was typed.
  apply();

  var chart = byId('timeline-chart');
  if (chart) chart.addEventListener('click', function (event) {
    var mark = event.target.closest('.mark');
    if (!mark) return;
    var card = Array.from(document.querySelectorAll('.card')).find(function (one) { return one.dataset.key === mark.dataset.key; });
    if (!card) return;
    card.scrollIntoView();
    card.focus();
  });
})();
`

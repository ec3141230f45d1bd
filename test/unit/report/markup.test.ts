// html``: text cannot become markup, in content or in attributes, whatever it is made of.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { html, inline, Markup, nothing, verbatim } from '../../../src/report/markup.ts'
import { hostileText } from '../alerts/samples.ts'

test('text is escaped in content and in attributes', () => {
  const text = `<script>alert("x")</script>&'\``
  assert.equal(
    html`<p title="${text}">${text}</p>`.toString(),
    `<p title="&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;&amp;&#39;&#96;">&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;&amp;&#39;&#96;</p>`,
  )
})

test('characters that are obeyed instead of shown do not reach the page', () => {
  assert.equal(
    html`${'a\u202eb\u2066c\u200bd\u0000e\u001bf\ud800g'}`.toString(),
    'a\ufffdb\ufffdc\ufffdd\ufffde\ufffdf\ufffdg',
  )
  assert.equal(html`${'one\ntwo\u2028three'}`.toString(), 'one two three')
})

test('markup, lists, numbers, null and false mean what they say', () => {
  assert.equal(
    html`<b>${html`<i>x</i>`}${[1.005, ' ', html`y`]}${null}${false}${nothing}</b>`.toString(),
    '<b><i>x</i>1 y</b>',
  )
  assert.equal(html`${1 / 3} ${NaN} ${Infinity} ${12345}`.toString(), '0.33 0 0 12345')
})

test('indentation of the source is left out, space in values is not touched', () => {
  const source = Object.assign(['<p>\n    ', '\n  </p>'], { raw: [] })
  assert.equal(html(source, 'a    b').toString(), '<p>\na    b\n</p>')
})

test('a very long text ends in an ellipsis', () => {
  assert.ok(html`${'x'.repeat(1e6)}`.toString().length < 5000)
})

test('nobody else can make markup, and a script cannot end its element', () => {
  assert.throws(() => new Markup(['<script>'], Symbol('maker of markup')), TypeError)
  assert.throws(() => inline('script', "x = '</script>'"), TypeError)
  assert.throws(() => inline('style', 'a { } <!--'), TypeError)
  assert.equal(inline('style', 'a > b { }').toString(), '<style>a > b { }</style>')
  assert.equal(verbatim("'none'").toString(), "'none'")
})

test('no text leaves its place', () => {
  fc.assert(
    fc.property(hostileText(60), text => {
      const made = html`<p title="${text}">${text}</p>`.toString()
      const safe = `(?:[^<>"'\`&]|&(?:amp|lt|gt|quot|#39|#96);)*`
      assert.match(made, new RegExp(`^<p title="${safe}">${safe}</p>$`))
      assert.doesNotMatch(made, /\p{Cc}|\p{Bidi_Control}|\p{Cs}/u)
    }),
    { numRuns: 500 },
  )
})

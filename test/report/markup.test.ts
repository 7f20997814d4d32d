import { expect, test } from 'vitest'
import { Html, markup } from '../../src/report/markup.ts'

test('text of hosts stays text, in elements and in attributes', () => {
  const text = `<script>alert("x")</script> & '\u001b[2J'`

  expect(markup`<p title="${text}">${[text, text].map(one => markup`<i>${one}</i>`)}</p>`.text).not.toMatch(
    /<script|"x"|\p{Cc}/u,
  )
  expect(markup`${text}`.text).toBe("&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; '\\x1b[2J'")
})

test('what is HTML already is not escaped again', () => {
  expect(markup`<p>${markup`<b>${'a<b'}</b>`} ${3} ${new Html('<hr>')}</p>`.text).toBe(
    '<p><b>a&lt;b</b> 3 <hr></p>',
  )
})

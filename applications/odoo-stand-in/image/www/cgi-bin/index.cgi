#!/bin/sh
printf 'Content-Type: text/html; charset=utf-8\r\nCache-Control: no-store\r\n\r\n'
cat <<PAGE
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Stand-in for Odoo</title>
<style>
  :root { color-scheme: light dark; font: 1rem/1.6 system-ui, sans-serif }
  body { max-width: 40rem; margin: 3rem auto; padding: 0 1rem }
  [role=note] { border: 2px solid; padding: .5rem 1rem }
  td, th { padding: .2rem 1.5rem .2rem 0; text-align: left }
</style>
<h1>Your application runs</h1>
<p role="note"><strong>This is not Odoo.</strong> It is a stand-in made of local parts, built because no image registry was reachable or none was wanted.</p>
<table>
<tr><th>Sold</th><th>Used</th><th>Limit</th></tr>
<tr><td>Users</td><td>$(count users)</td><td>$(get-limit users)</td></tr>
<tr><td>E-mail accounts</td><td>$(count emails)</td><td>$(get-limit emails)</td></tr>
</table>
<h2>Try it</h2>
<form method="post" action="/cgi-bin/users"><label>New user <input name="name" required></label> <button>Add</button></form>
<form method="post" action="/cgi-bin/emails"><label>New e-mail account <input name="name" required></label> <button>Add</button></form>
<p><a href="/cgi-bin/download?kib=1024">Make 1 MiB of traffic</a> · <a href="/cgi-bin/files?kib=1024">Write 1 MiB to the volume</a></p>
</html>
PAGE

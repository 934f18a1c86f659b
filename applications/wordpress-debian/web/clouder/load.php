<?php
// WordPress, loaded from the command line: Debian's place for it, or the public image's.
$_SERVER['HTTP_HOST'] ??= 'localhost';
$_SERVER['REQUEST_METHOD'] ??= 'GET';
$_SERVER['REQUEST_URI'] ??= '/';
require is_dir('/usr/share/wordpress') ? '/usr/share/wordpress/wp-load.php' : '/var/www/html/wp-load.php';

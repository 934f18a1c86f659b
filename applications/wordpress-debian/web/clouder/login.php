<?php
// Prints the path that lets the administrator in once, within a minute.
require __DIR__ . '/load.php';

$user = get_user_by('login', getenv('ADMIN_USER'));
if (!$user) {
    fwrite(STDERR, "There is no user of this name.\n");
    exit(1);
}
$token = bin2hex(random_bytes(32));
set_transient('clouder_login_' . hash('sha256', $token), $user->ID, 60);
echo '/?clouder_login=', $token, "\n";

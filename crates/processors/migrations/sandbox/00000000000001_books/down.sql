DROP TABLE "transaction";
DROP TABLE method;
DROP TABLE sub_account;
DROP TABLE merchant;

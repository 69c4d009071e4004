// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title A token that rewards facts of the physical world.
/// @notice Minters are operators of W3bstream projects. A transaction may be asked for again after a crash, so what it mints
/// carries the id of the fact that it rewards: each claim mints once, whoever sends it however often.
contract RewardToken is ERC20, AccessControl {
    bytes32 public constant MINTER_ROLE = keccak256("MINTER_ROLE");

    /// @dev keccak256(abi.encode(to, amount)) of each claim that was paid.
    mapping(bytes32 claim => bytes32 payment) private _payments;

    event ClaimPaid(bytes32 indexed claim, address indexed to, uint256 amount);

    /// The claim was paid before, to somebody else or another amount.
    error ClaimConflict(bytes32 claim);

    /// @param admin may name minters, and is the first of them
    constructor(string memory name_, string memory symbol_, address admin) ERC20(name_, symbol_) {
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
        _grantRole(MINTER_ROLE, admin);
    }

    /// @notice Pays a claim.
    /// @return minted false when exactly this was paid before; nothing happens then
    function mintOnce(bytes32 claim, address to, uint256 amount) external onlyRole(MINTER_ROLE) returns (bool minted) {
        bytes32 payment = keccak256(abi.encode(to, amount));
        bytes32 paid = _payments[claim];
        if (paid == payment) return false;
        if (paid != 0) revert ClaimConflict(claim);
        _payments[claim] = payment;
        _mint(to, amount);
        emit ClaimPaid(claim, to, amount);
        return true;
    }

    /// @notice Mints without a claim; sent twice it mints twice.
    function mint(address to, uint256 amount) external onlyRole(MINTER_ROLE) {
        _mint(to, amount);
    }

    function isPaid(bytes32 claim) external view returns (bool) {
        return _payments[claim] != 0;
    }
}
